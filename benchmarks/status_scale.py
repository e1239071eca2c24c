"""Commands that show a job of ten million items, compared with one of ten."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import peers
from benchmarks.figure import Figure, Scale
from benchmarks.pairs import Paired, compare_all
from benchmarks.usage import Usage, environment, measure

TITLE = "status of ten million items, compared with ten"
NOTES = """
The figures are the CPU time of the whole command; its wall time is for information. Both jobs have four fifths of their
items done, some of them failed, and two items running. `benchmarks/_large_job.py` makes them, and `jobctl verify` finds
no fault in them.

The databases are in the page cache. The page of failed items has five rows on both sides, because the small job has
only five.
"""
ROOT = Path(__file__).parents[1]
_COMMANDS = (
    ("status", ("status",)),
    ("status JOB", ("status", "1")),
    ("status JOB --json", ("status", "1", "--json")),
    ("items JOB --state failed, first page", ("items", "1", "--state", "failed", "--limit", "5")),
    ("logs JOB.ITEM", ("logs", "1.{item}")),
)


def run(scale: Scale) -> list[Figure]:
    """Run every command on both jobs, in turn."""
    items = scale.of(10_000_000, 100_000)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        small, large = (_store(Path(folder), count) for count in (10, items))
        return [_look(name, words, (large, items), small, scale.of(25, 5)) for name, words in _COMMANDS]


def _store(root: Path, items: int) -> Path:
    store = root / f"of-{items}"
    argv = [sys.executable, "-m", "benchmarks._large_job", str(store), str(items)]
    subprocess.run(argv, cwd=ROOT, env=environment({}), check=True, stdout=subprocess.DEVNULL)
    return store


def _look(name: str, words: tuple[str, ...], large: tuple[Path, int], small: Path, rounds: int) -> Figure:
    store, items = large
    walls: list[list[float]] = [[], []]
    taken = compare_all(
        [
            _cpu([word.format(item=items * 7 // 10) for word in words], store, walls[0]),
            _cpu([word.format(item=7) for word in words], small, walls[1]),
        ],
        rounds,
    )
    figure = Paired(*taken).figure(name, 1.1, "ms", 1e-3)
    wall = Paired(*walls)
    return Figure(name, figure.value, "x", 1.1, detail=f"{figure.detail}; wall {wall.ratio:.2f} x")


def _cpu(words: list[str], store: Path, walls: list[float]) -> Callable[[], float]:
    def act() -> float:
        used: Usage = measure([*peers.jobctl(), *words], env={"JOBCTL_HOME": str(store)})
        walls.append(used.wall_s)
        return used.cpu_s

    return act
