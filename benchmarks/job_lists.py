"""Lists of jobs in a store with 100,000 jobs, compared with one that has a hundred."""

from __future__ import annotations

import io
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import peers
from benchmarks.figure import Figure, Scale
from benchmarks.pairs import Paired, compare_all
from benchmarks.usage import measure
from jobctl.config import Home
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import submit
from jobctl.sources.options import InputOptions
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database

TITLE = "lists of 100,000 jobs, compared with lists of a hundred"
NOTES = """
The figures are the CPU time of the whole command. Both stores have the same jobs in the same shares: nine of ten
succeeded, the others failed or are queued; a thousand names, 500 values of a label. Every list shows the jobs that are
not done and 20 others; it also counts all jobs that meet the conditions.

The index `jobs_list` has the columns of the conditions, so counting reads no whole rows. An order by a figure, such as
`failed`, compares all jobs that meet the conditions and reads the row of each.
"""
_ROWS = 5
_LIVE = 20
_COMMANDS = (
    ("status", (), 1.2),
    ("status --state failed", ("--state", "failed"), 1.3),
    ("status --name 'job-77*'", ("--name", "job-77*"), 1.3),
    ("status --name '*77'", ("--name", "*77"), None),
    ("status --label batch=7", ("--label", "batch=7"), None),
    ("status --since 1h --queue mail", ("--since", "1h", "--queue", "mail"), None),
    ("status --sort failed", ("--sort", "failed"), None),
)
#: The columns that differ between the copies of a job; ``n`` counts them.
_DIFFERENT = {
    "uid": "uid || '-' || n",
    "name": "'job-' || (n % 1000)",
    "queue": "CASE n % 3 WHEN 0 THEN 'mail' ELSE 'default' END",
    "labels": "json_object('batch', CAST(n % 500 AS TEXT))",
    "fingerprint": "fingerprint || n",
    "state": "CASE WHEN n > :copies - :live THEN 'queued' WHEN n % 10 = 0 THEN 'failed' ELSE 'succeeded' END",
    "queued": "CASE WHEN n > :copies - :live THEN total ELSE 0 END",
    "failed": "CASE WHEN n <= :copies - :live AND n % 10 = 0 THEN total ELSE 0 END",
    "succeeded": "CASE WHEN n <= :copies - :live AND n % 10 <> 0 THEN total ELSE 0 END",
    "submitted_at": "submitted_at - 1000000 * (:copies - n)",
    "updated_at": "updated_at - 1000000 * (:copies - n)",
    "finished_at": "CASE WHEN n <= :copies - :live THEN updated_at - 1000000 * (:copies - n) END",
}


def run(scale: Scale) -> list[Figure]:
    """Run every list on both stores, in turn."""
    jobs = scale.of(100_000, 5_000)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        large, small = (_store(Path(folder), count) for count in (jobs, 100))
        return [_compare(name, words, target, (large, small), scale.of(15, 3)) for name, words, target in _COMMANDS]


def _store(root: Path, jobs: int) -> Path:
    home = Home(root / f"of-{jobs}")
    rows = root / "rows.txt"
    rows.write_text("".join(f"{n}\n" for n in range(_ROWS)), encoding="utf-8")
    request = SubmitRequest(input=InputOptions(str(rows)), command=("true", "{}"), cwd=str(root), name="first")
    submit(home, request, now=time.time_ns() // 1000, stdin=io.BytesIO())
    database = open_database(home)
    _copy(database, jobs - 1)
    database.checkpoint()
    database.close()
    return home.root


def _copy(database: Database, copies: int) -> None:
    columns = [name for (name,) in database.execute("SELECT name FROM pragma_table_info('jobs') WHERE name <> 'id'")]
    values = ", ".join(_DIFFERENT.get(column, column) for column in columns)
    with database.transaction():
        database.execute(
            "WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < :copies)"
            f" INSERT INTO jobs ({', '.join(columns)}) SELECT {values} FROM counted, jobs WHERE id = 1",
            {"copies": copies, "live": _LIVE},
        )


def _compare(name: str, words: tuple[str, ...], target: float | None, stores: tuple[Path, Path], rounds: int) -> Figure:
    taken = Paired(*compare_all([_cpu(words, store) for store in stores], rounds))
    return taken.figure(name, target, "ms", 1e-3)


def _cpu(words: tuple[str, ...], store: Path) -> Callable[[], float]:
    def act() -> float:
        return measure([*peers.jobctl(), "status", *words], env={"JOBCTL_HOME": str(store)}).cpu_s

    return act
