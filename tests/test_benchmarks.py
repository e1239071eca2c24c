"""The code that all benchmarks share: verdicts, pairs, and a results page whose sections are replaced one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.__main__ import find
from benchmarks.figure import Figure
from benchmarks.pairs import compare


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("as quick as", 0.9, target=1.0), "met"),
        (Figure("as quick as", 1.1, target=1.0), "missed"),
        (Figure("times quicker", 9.0, target=8.0, at_least=True), "met"),
        (Figure("times quicker", 7.0, target=8.0, at_least=True), "missed"),
        (Figure("nobody asked", 7.0), ""),
        (Figure("a peer that is not here", None, target=8.0), "not measured"),
    ],
)
def test_verdicts(figure: Figure, verdict: str) -> None:
    assert figure.verdict == verdict


def test_runs_alternate_and_the_median_of_the_ratios_counts() -> None:
    order: list[str] = []
    ours, theirs = iter([1.0, 2.0, 90.0]), iter([2.0, 2.0, 3.0])

    def measured(side: str, values: object) -> float:
        order.append(side)
        return next(values)  # type: ignore[call-overload, no-any-return]

    pair = compare(lambda: measured("ours", ours), lambda: measured("theirs", theirs), 3)
    assert order == ["ours", "theirs"] * 3
    assert pair.figure("x", None).value == 1.0
    assert pair.advantage("x", None).value == 1.0


def test_saving_a_section_leaves_the_others_unchanged(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    results.save("beta", "second", [Figure("b", 1.0)], "", page)
    results.save("alpha", "first", [Figure("a | b", 1.0, target=2.0)], "Why.", page)
    before = page.read_text()
    results.save("beta", "second", [Figure("b", 3.0)], "", page)
    after = page.read_text()
    assert after.startswith("# Results\n")
    assert after.index("## alpha: first") < after.index("## beta: second")
    assert before.split("## beta")[0] == after.split("## beta")[0]
    assert "\n| b | 3.00 x |" in after and "\n| b | 1.00 x |" not in after
    assert r"a \| b" in after and "Why." in after


def test_every_benchmark_has_a_title_and_a_docstring() -> None:
    assert {"throughput", "spawn", "only-new"} <= find().keys()
    assert all(module.TITLE and module.run.__doc__ for module in find().values())
