"""Makes a job with many items done, without running them: submit accepts it, and SQL settles the items.

``python -m benchmarks._large_job STORE ITEMS``: four fifths of the items are done, a thousandth of these failed (at
least 5), two are running, and the others are queued. Counters, causes, figures and logs agree with the items.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from jobctl.config import Home
from jobctl.domain.figures import Course, Durations, Slow
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit import submit
from jobctl.sources.options import InputOptions
from jobctl.store import figures, jobs, journal
from jobctl.store.database import Database
from jobctl.store.failures import SAMPLE_LIMIT
from jobctl.store.group import Message
from jobctl.store.groups import FailureGroups
from jobctl.store.opening.open import open_database

OUTPUT = b"%049d\n"
#: Outputs in one log file.
PER_LOG = (64 << 20) // 50
_EACH_US = 400  # of wall time
_MESSAGE = "exit code 3: the server said no"


class _Shape(NamedTuple):
    """The number of items in each state; every ``nth`` item that is done failed."""

    job: int
    items: int
    began: int

    @property
    def done(self) -> int:
        return self.items * 4 // 5

    @property
    def nth(self) -> int:
        return 1000 if self.done >= 5000 else 2

    @property
    def failed(self) -> list[int]:
        return list(range(self.nth, self.done + 1, self.nth)) if self.done >= 5000 else [1, 2, 3, 4, 5]


def make(home: Home, items: int) -> int:
    """Make the job and return its number."""
    now = time.time_ns() // 1000
    shape = _Shape(_accept(home, items, now), items, now - items * _EACH_US)
    _write_logs(home, shape)
    database = open_database(home)
    with database.transaction():
        _settle(database, shape)
        _count(database, shape)
    database.checkpoint()
    database.close()
    return shape.job


def _accept(home: Home, items: int, now: int) -> int:
    with tempfile.TemporaryDirectory(dir=home.root.parent) as folder:
        path = Path(folder, "rows.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write("id,url,text\n")
            file.writelines(f"{n},https://example.org/items/{n},item number {n}\n" for n in range(1, items + 1))
        request = SubmitRequest(
            input=InputOptions(str(path)), command=("true", "{id}"), cwd=str(home.root.parent), name="large"
        )
        return submit(home, request, now=now, stdin=io.BytesIO()).job


def _write_logs(home: Home, shape: _Shape) -> None:
    """Write the log files. All but the first are sparse, because no command reads them."""
    folder = home.job_logs(shape.job)
    folder.mkdir(parents=True, mode=0o700)
    with open(folder / "1.out", "wb", buffering=1 << 20) as file:
        file.writelines(OUTPUT % n for n in range(1, min(shape.done, PER_LOG) + 1))
    for number in range(2, shape.done // PER_LOG + 2):
        (folder / f"{number}.out").touch(mode=0o600)
        os.truncate(folder / f"{number}.out", PER_LOG * 50)


def _settle(database: Database, shape: _Shape) -> None:
    message = Message(_MESSAGE, code="exit_3")
    group = FailureGroups(database, shape.job).find(message, retryable=True, now=shape.began)
    database.execute("CREATE TEMP TABLE failed (item INTEGER PRIMARY KEY)")
    database.executemany("INSERT INTO failed VALUES (?)", ((item,) for item in shape.failed))
    database.execute(
        "UPDATE items SET attempt = 1, epoch = 1, state = CASE WHEN item IN failed THEN 4 ELSE 3 END,"
        " failure = CASE WHEN item IN failed THEN ? END WHERE job = ? AND item <= ?",
        (group.id, shape.job, shape.done),
    )
    database.execute(
        "UPDATE items SET attempt = 1, epoch = 1, state = 1 WHERE job = ? AND item IN (?, ?)",
        (shape.job, shape.done + 1, shape.done + 2),
    )
    database.execute(
        "INSERT INTO attempts (job, item, attempt, round, slot, started_at, ending, code, duration_us, cpu_us,"
        " max_rss_kib, log, out_off, out_len, failure, message)"
        " SELECT job, item, 1, 1, 1 + item % 2, ?1 + item * ?2, 0, 3 * (state = 4), 700 + item % 300, 600, 1900,"
        " 1 + (item - 1) / ?3, (item - 1) % ?3 * 50, 50, failure, CASE state WHEN 4 THEN ?4 END"
        " FROM items WHERE job = ?5 AND item <= ?6",
        (shape.began, _EACH_US, PER_LOG, _MESSAGE, shape.job, shape.done),
    )
    group.items = group.attempts = len(shape.failed)
    group.failed = shape.failed[:SAMPLE_LIMIT]
    database.execute(
        "UPDATE failures SET items = ?, attempts = ?, samples = ? WHERE id = ?",
        (group.items, group.attempts, json.dumps(group.samples), group.id),
    )


def _count(database: Database, shape: _Shape) -> None:
    failed, until = len(shape.failed), shape.began + shape.done * _EACH_US
    durations, course = Durations(), Course(1, shape.began)
    for low in range(0, shape.done, 10_000):
        part = range(low + 1, min(low + 10_000, shape.done) + 1)
        durations.add(700 + item % 300 for item in part)
        bad = sum(item in part for item in shape.failed[:5]) if shape.done < 5000 else len(part) // shape.nth
        course.add(len(part) - bad, bad, shape.began + part.stop * _EACH_US)
    durations.rank(Slow(999 - n, shape.done - n, 1) for n in range(5))
    figures.save(database, shape.job, durations, course)
    jobs.update(
        database,
        shape.job,
        state="running",
        queued=shape.items - shape.done - 2,
        running=2,
        succeeded=shape.done - failed,
        failed=failed,
        cursor=shape.done + 3,
        started_at=shape.began,
        updated_at=until,
        attempts=shape.done,
        rate_per_s=1e6 / _EACH_US,
        mean_us=850.0,
    )
    journal.note(database, shape.job, "started", at=shape.began, actor="engine", reason="")


if __name__ == "__main__":
    print(make(Home(Path(sys.argv[1])), int(sys.argv[2])))
