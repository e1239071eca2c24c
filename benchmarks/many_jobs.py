"""A queue with many live jobs: what the engine pays for an item, and for a round without any."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from benchmarks._instant import Store
from benchmarks.figure import Figure, Scale
from benchmarks.pairs import compare

TITLE = "CPU of the engine with many live jobs in the queue, beside one"
NOTES = """
The engine alone, with an executor that says at once that everything succeeded: its claims, commits and result files are
real. One job is worked off with others in the queue that are ready too and have the lower priority, and alone. Below
it the same rows in jobs that share the slots equally; that each of them is closed, with result files of its own, is in
their figure.
"""


def run(scale: Scale) -> list[Figure]:
    """Pairs of stores."""
    rows, jobs = scale.of(20_000, 4_000), scale.of(1_000, 200)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        beside = [Path(folder, f"beside{n}") for n in range(scale.pairs)]
        alone = [Path(folder, f"alone{n}") for n in range(scale.pairs)]
        pair = compare(lambda: busy(beside.pop(), rows, jobs), lambda: busy(alone.pop(), rows, 0), scale.pairs)
        equal = equals(Path(folder, "equal"), rows // jobs, jobs)
    name = f"an item of one job, {jobs:,} other live jobs, of without them"
    return [
        pair.figure(name, 1.05, "µs"),
        Figure(f"an item of {jobs:,} jobs that share, closing included", equal, "µs"),
    ]


def busy(place: Path, rows: int, others: int) -> float:
    """Microseconds an item of a job, with others that are live and wait."""
    place.mkdir()
    store = Store(place)
    store.submit(1, others, priority=-1)
    store.submit(rows)
    return store.work_off(rows).per_item_us


def equals(place: Path, rows: int, jobs: int) -> float:
    """Microseconds an item of jobs of one priority."""
    place.mkdir()
    store = Store(place)
    store.submit(rows, jobs)
    return store.work_off().per_item_us
