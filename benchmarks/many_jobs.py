"""A queue with many live jobs: what the engine pays for an item, and for a round without any."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from benchmarks._instant import Store
from benchmarks.figure import Figure, Scale
from benchmarks.pairs import compare

TITLE = "CPU of the engine with many live jobs in the queue, compared with one"
NOTES = """
The engine is measured alone, with an executor that reports success at once. Its claims and commits are real, and so are
the result files of the job.

In the first figure, a job runs while the other jobs in the queue are ready and have a lower priority; then it runs
without them. In the second figure, all jobs share the slots equally, which costs more: the engine claims and settles
the items of each job in separate statements, and it starts slowly until it knows how long the items of a job take.
"""
#: Items of each other job: too many to end during the run.
ROWS_BESIDE = 50


def run(scale: Scale) -> list[Figure]:
    """Pairs of stores."""
    rows, jobs = scale.of(20_000, 4_000), scale.of(1_000, 200)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        crowded, alone, equal = (Store(Path(folder, name)) for name in ("crowded", "alone", "equal"))
        crowded.submit(ROWS_BESIDE, jobs, priority=-1)
        pair = compare(lambda: one_more(crowded, rows), lambda: one_more(alone, rows), scale.pairs)
        equal.submit(2 * rows // jobs, jobs)
        equals_us = equal.work_off(rows).per_item_us
    return [
        pair.figure(f"an item of one job, {jobs:,} other live jobs, of without them", 1.05, "µs"),
        Figure(f"an item of {jobs:,} jobs that share, while none ends", equals_us, "µs"),
    ]


def one_more(store: Store, rows: int) -> float:
    """Microseconds an item of a new job."""
    store.submit(rows)
    return store.work_off(rows).per_item_us
