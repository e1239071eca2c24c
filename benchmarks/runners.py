"""Command items: a whole ``jobctl run`` of ``true`` beside others that record what they run, and beside make."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks import peers
from benchmarks.figure import Figure, Scale
from benchmarks.pairs import compare
from benchmarks.rows import Bench, bench, wall
from benchmarks.usage import Usage

TITLE = "rows of true, beside GNU parallel, HyperQueue, task-spooler and make"
NOTES = """
Wall time, everybody's start-up included, as many slots for each. The rows are fewer than beside xargs, which is to the
advantage of the others: our start weighs more. make records nothing.

One pair of 20,000 rows gave 6.1 x over parallel (451 µs beside 2,736): where this was measured parallel takes 2.7 to
3.8 ms a row, and took 8.1 where the target was set.
"""


def run(scale: Scale) -> list[Figure]:
    """Pairs with each."""
    with bench(scale.of(2_000, 300)) as rows:
        return list(_all(rows, scale))


def _all(rows: Bench, scale: Scale) -> Iterator[Figure]:
    cases: tuple[tuple[str, str, Callable[[], Usage], float | None], ...] = (
        ("parallel --joblog --results", "GNU parallel", rows.parallel, 8.0),
        ("HyperQueue LocalCluster with output files", "HyperQueue", rows.hyperqueue, 5.0),
        ("parallel --joblog", "GNU parallel", lambda: rows.parallel(results=False), None),
        ("task-spooler", "task-spooler", rows.task_spooler, None),
        ("make", "make", rows.make, None),
    )
    for words, peer, act, target in cases:
        name = f"times faster than {words}, {rows.count:,} rows"
        if not peers.is_here(peer):
            yield peers.missing(name, peer)
        else:
            pair = compare(wall(rows.jobctl), wall(act), scale.pairs if target else 3)
            yield pair.advantage(name, target, "µs", rows.count / 1e6)
