"""Removing jobs: the job itself at once, then its many rows and the space they took in steps nobody waits for."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jobctl.store import meta
from jobctl.store.damage import mended
from jobctl.store.database import Database

#: Rows removed, and pages given back, in one transaction: a few milliseconds each.
ROWS_AT_ONCE = 5_000
PAGES_AT_ONCE = 500
#: A job of at most so many items goes in the transaction that takes it out, together with others.
SMALL_JOB = 500
_FEW_ROWS = ("deliveries", "targets", "failures", "figures", "requests")
#: Tables with more rows per job than one transaction should remove, and what numbers the rows.
_MANY_ROWS = (("attempts", "item"), ("items", "item"), ("leftovers", "item"), ("followed", "number"), ("journal", "id"))
#: Left to other writers between two steps: waiting for their turn they look every few milliseconds.
COURTESY_S = 0.003
#: Called between two transactions.
Pause = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A job that is done, and what speaks for keeping it."""

    id: int
    uid: str
    name: str
    state: str
    round: int
    finished_at: int
    total: int
    failed: int
    unprocessed: int
    undelivered: int  # notifications that are still on their way


_SELECT = (
    "SELECT id, uid, name, state, round, finished_at, total, failed, unprocessed,"
    " (SELECT count(*) FROM deliveries WHERE job = jobs.id AND state = 'pending') FROM jobs"
)


def candidates(database: Database, before: int) -> list[Candidate]:
    """Jobs that were done before a time (microseconds), oldest first."""
    sql = f"{_SELECT} WHERE finished_at IS NOT NULL AND finished_at <= ? ORDER BY finished_at, id"
    return [Candidate(*row) for row in database.execute(sql, (before,))]


def named(database: Database, jobs: Sequence[int]) -> list[Candidate]:
    """These jobs as far as they are done, in the order of their numbers."""
    rows = (candidate(database, job, 1 << 62) for job in sorted(set(jobs)))
    return [row for row in rows if row is not None]


def candidate(database: Database, job: int, before: int) -> Candidate | None:
    """One of them as it is now; None if it is none any more."""
    row = database.one(f"{_SELECT} WHERE id = ? AND finished_at IS NOT NULL AND finished_at <= ?", (job, before))
    return None if row is None else Candidate(*row)


def resubmitted(database: Database) -> set[str]:
    """uids of jobs one of whose result files was submitted again."""
    return {row[0] for row in database.execute("SELECT DISTINCT resubmit_of FROM jobs WHERE resubmit_of IS NOT NULL")}


def awaited(database: Database) -> set[int]:
    """Jobs that live ones come after."""
    rows = database.execute("SELECT after FROM jobs WHERE finished_at IS NULL AND after <> '[]'")
    return {job for row in rows for job, _ in json.loads(mended({"after": row[0]})[0]["after"])}


def take_out(database: Database, job: Candidate, now: int) -> int:
    """The job is gone from here on; what is left of it is remembered until it is removed. In a transaction.

    The rows of a small job go at once; returns how many.
    """
    database.execute("INSERT OR REPLACE INTO prunings (job, at) VALUES (?, ?)", (job.id, now))
    database.execute(
        "DELETE FROM delivery_attempts WHERE delivery IN (SELECT id FROM deliveries WHERE job = ?)", (job.id,)
    )
    for table in _FEW_ROWS:
        database.execute(f"DELETE FROM {table} WHERE job = ?", (job.id,))  # noqa: S608 - names of this function
    database.execute("DELETE FROM jobs WHERE id = ?", (job.id,))
    if job.total > SMALL_JOB:
        return 0
    return sum(
        database.execute(f"DELETE FROM {table} WHERE job = ?", (job.id,)).rowcount  # noqa: S608
        for table, _ in _MANY_ROWS
    )


def begun(database: Database) -> list[int]:
    """Jobs that were taken out and of which something may be left."""
    return [row[0] for row in database.execute("SELECT job FROM prunings ORDER BY job")]


def remove_rows(database: Database, job: int, pause: Pause) -> int:
    """Remove items, attempts and journal of a job that was taken out; returns how many rows went."""
    return sum(_remove(database, table, key, job, pause) for table, key in _MANY_ROWS)


def _remove(database: Database, table: str, key: str, job: int, pause: Pause) -> int:
    removed = 0
    boundary = f"SELECT {key} FROM {table} WHERE job = ? ORDER BY {key} LIMIT 1 OFFSET ?"  # noqa: S608
    delete = f"DELETE FROM {table} WHERE job = ? AND {key} <= ?"  # noqa: S608
    while True:
        with database.transaction():
            last = database.scalar(boundary, (job, ROWS_AT_ONCE))
            removed += database.execute(delete, (job, 1 << 62 if last is None else last)).rowcount
        if last is None:
            return removed
        pause()


def finish(database: Database, jobs: Sequence[int]) -> None:
    """Nothing is left of these jobs that were taken out."""
    with database.transaction():
        database.executemany("DELETE FROM prunings WHERE job = ?", [(job,) for job in jobs])


def give_back(database: Database, pause: Pause) -> int:
    """Shorten the database by the pages that nothing uses, on disk with the next checkpoint; returns bytes."""
    size = int(database.scalar("PRAGMA page_size"))
    first = free = int(database.scalar("PRAGMA freelist_count"))
    while free:
        with database.transaction():
            database.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()
        left = int(database.scalar("PRAGMA freelist_count"))
        if left >= free:
            break
        free = left
        pause()
    return (first - free) * size


def database_bytes(database: Database) -> int:
    """How large the database is."""
    return int(database.scalar("PRAGMA page_count")) * int(database.scalar("PRAGMA page_size"))


def live_bytes(database: Database) -> int:
    """How large the database is without the pages that nothing uses."""
    free = int(database.scalar("PRAGMA freelist_count")) * int(database.scalar("PRAGMA page_size"))
    return database_bytes(database) - free


def rebuild(database: Database, *, in_memory: bool) -> None:
    """Write the whole database anew, row by row: nothing but what it holds is in its pages then.

    Other writers wait for as long as that takes, readers do not. With ``in_memory`` it needs as much memory.
    """
    database.execute(f"PRAGMA temp_store={'MEMORY' if in_memory else 'FILE'}")
    try:
        database.patiently("VACUUM")
    finally:
        database.execute("PRAGMA temp_store=MEMORY")


_ERASED = "erased"  # in meta: jobs were never removed but with everything that could be read back


def is_erased(database: Database) -> bool:
    """Whether nothing can be left of jobs that were removed before, as by an older jobctl."""
    if meta.value(database, _ERASED):
        return True
    return highest_job(database) == int(database.scalar("SELECT count(*) FROM jobs"))


def note_erased(database: Database) -> None:
    """Nothing can be left of them from here on."""
    with database.transaction():
        meta.put_if_new(database, _ERASED, "1")


def highest_job(database: Database) -> int:
    """The highest number that any job ever had."""
    return int(database.scalar("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'") or 0)


def existing(database: Database) -> set[int]:
    """Numbers of all jobs."""
    return {row[0] for row in database.execute("SELECT id FROM jobs")}
