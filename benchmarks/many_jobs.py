"""A queue with many live jobs: the CPU time of the engine per item."""

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
ROWS_OF_OTHERS = 50


def run(scale: Scale) -> list[Figure]:
    """Compare a store with many live jobs and one without them."""
    rows, jobs = scale.of(20_000, 4_000), scale.of(1_000, 200)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        crowded, alone, equal = (Store(Path(folder, name)) for name in ("crowded", "alone", "equal"))
        crowded.submit(ROWS_OF_OTHERS, jobs, priority=-1)
        pair = compare(lambda: run_one_job(crowded, rows), lambda: run_one_job(alone, rows), scale.pairs)
        equal.submit(2 * rows // jobs, jobs)
        equals_us = equal.run_engine(rows).per_item_us
    return [
        pair.figure(f"an item of one job, {jobs:,} other live jobs, of without them", 1.05, "µs"),
        Figure(f"an item of {jobs:,} jobs that share, while none ends", equals_us, "µs"),
    ]


def run_one_job(store: Store, rows: int) -> float:
    """Return the microseconds per item of a new job."""
    store.submit(rows)
    return store.run_engine(rows).per_item_us
