"""Removes jobs: the job itself at once, then its many rows and their space in steps that are too short to notice."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jobctl.store import meta
from jobctl.store.damage import repaired
from jobctl.store.database import Database

#: Rows removed, and pages given back, in one transaction: a few milliseconds each.
ROWS_AT_ONCE = 5_000
PAGES_AT_ONCE = 500
#: A job of at most this number of items is removed in one transaction, together with others.
SMALL_JOB = 500
_FEW_ROWS = ("deliveries", "targets", "failures", "figures", "requests")
#: Tables with more rows per job than one transaction should remove, each with the column that numbers its rows.
_MANY_ROWS = (
    *(("attempts", "item"), ("items", "item"), ("leftovers", "item"), ("followed", "number"), ("journal", "id")),
    *(("undone", "item"), ("cancelled", "item"), ("outcomes", "id")),
)
#: Rows removed in one transaction from tables with large rows.
_AT_ONCE = {"outcomes": 200}
#: A longer number is damage.
_DIGITS = 18
#: Seconds left to other writers between two steps: they try to write every few milliseconds.
COURTESY_S = 0.003
#: Called between two transactions.
Pause = Callable[[], None]


@dataclass(frozen=True, slots=True)
class FinishedJob:
    """A job that is done, with the facts that may be a reason to keep it."""

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
    undo_of: int | None = None  # the job whose rows it has taken back


_SELECT = (
    "SELECT id, uid, name, state, round, finished_at, total, failed, unprocessed,"
    " (SELECT count(*) FROM deliveries WHERE job = jobs.id AND state = 'pending'),"
    " undo_of FROM jobs"
)


def candidates(database: Database, before: int) -> list[FinishedJob]:
    """Jobs that were done before a time (microseconds), oldest first."""
    sql = f"{_SELECT} WHERE finished_at IS NOT NULL AND finished_at <= ? ORDER BY finished_at, id"
    return [FinishedJob(*row) for row in database.execute(sql, (before,))]


def named(database: Database, jobs: Sequence[int]) -> list[FinishedJob]:
    """These jobs as far as they are done, in the order of their numbers."""
    rows = (candidate(database, job, 1 << 62) for job in sorted(set(jobs)))
    return [row for row in rows if row is not None]


def candidate(database: Database, job: int, before: int) -> FinishedJob | None:
    """A job as it is now; None if it was removed, or was not done before that time."""
    row = database.one(f"{_SELECT} WHERE id = ? AND finished_at IS NOT NULL AND finished_at <= ?", (job, before))
    return None if row is None else FinishedJob(*row)


def resubmitted(database: Database) -> set[str]:
    """Uids of jobs with a result file that was submitted as another job."""
    return {row[0] for row in database.execute("SELECT DISTINCT resubmit_of FROM jobs WHERE resubmit_of IS NOT NULL")}


def being_undone(database: Database) -> set[int]:
    """Jobs whose rows a live undo job takes back."""
    sql = "SELECT undo_of FROM jobs WHERE undo_of IS NOT NULL AND finished_at IS NULL"
    return {row[0] for row in database.execute(sql)}


def awaited(database: Database) -> set[int]:
    """The jobs that live jobs come after."""
    rows = database.execute("SELECT after FROM jobs WHERE finished_at IS NULL AND after <> '[]'")
    return {job for row in rows for job, _ in json.loads(repaired({"after": row[0]})[0]["after"])}


def remove_job(database: Database, job: FinishedJob, now: int) -> int:
    """Remove a job, and remember its number until all its rows are removed. In the caller's transaction.

    The rows of a small job are removed at once. Returns their number.
    """
    database.execute("INSERT OR REPLACE INTO prunings (job, at) VALUES (?, ?)", (job.id, now))
    _note_removed_events(database, job.id)
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


_REMOVED_EVENT = "removed_event"  # in meta: the highest id of an event of a removed job


def last_removed_event(database: Database) -> int:
    """The highest id of the events that went with a removed job; 0 if none did."""
    text = meta.value(database, _REMOVED_EVENT) or "0"
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else 0


def _note_removed_events(database: Database, job: int) -> None:
    sql = "SELECT (SELECT max(id) FROM journal WHERE job = ?1), (SELECT max(id) FROM outcomes WHERE job = ?1)"
    newest = max((number for number in database.one(sql, (job,)) if number is not None), default=0)
    if newest > last_removed_event(database):
        meta.put(database, _REMOVED_EVENT, str(newest))


def unfinished(database: Database) -> list[int]:
    """Removed jobs that may have rows left."""
    return [row[0] for row in database.execute("SELECT job FROM prunings ORDER BY job")]


def remove_rows(database: Database, job: int, pause: Pause) -> int:
    """Remove the items, attempts and events of a removed job. Returns the number of rows."""
    return sum(_remove(database, table, key, job, pause) for table, key in _MANY_ROWS)


def _remove(database: Database, table: str, key: str, job: int, pause: Pause) -> int:
    removed = 0
    boundary = f"SELECT {key} FROM {table} WHERE job = ? ORDER BY {key} LIMIT 1 OFFSET ?"  # noqa: S608
    delete = f"DELETE FROM {table} WHERE job = ? AND {key} <= ?"  # noqa: S608
    while True:
        with database.transaction():
            last = database.scalar(boundary, (job, _AT_ONCE.get(table, ROWS_AT_ONCE)))
            removed += database.execute(delete, (job, 1 << 62 if last is None else last)).rowcount
        if last is None:
            return removed
        pause()


def finish(database: Database, jobs: Sequence[int]) -> None:
    """Forget the numbers of removed jobs that have no row left."""
    with database.transaction():
        database.executemany("DELETE FROM prunings WHERE job = ?", [(job,) for job in jobs])


def give_back(database: Database, pause: Pause) -> int:
    """Give unused pages back to the disk, which the next checkpoint completes. Returns the number of bytes."""
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
    """The size of the database."""
    return int(database.scalar("PRAGMA page_count")) * int(database.scalar("PRAGMA page_size"))


def live_bytes(database: Database) -> int:
    """The size of the database without unused pages."""
    free = int(database.scalar("PRAGMA freelist_count")) * int(database.scalar("PRAGMA page_size"))
    return database_bytes(database) - free


def rebuild(database: Database, *, in_memory: bool) -> None:
    """Rewrite the whole database, so that its pages hold nothing of removed rows.

    Other writers wait meanwhile, readers do not. With ``in_memory`` it needs as much memory as the database is large.
    """
    database.execute(f"PRAGMA temp_store={'MEMORY' if in_memory else 'FILE'}")
    try:
        database.patiently("VACUUM")
    finally:
        database.execute("PRAGMA temp_store=MEMORY")


_ERASED = "erased"  # in meta: no removed job has left anything that could be read back


def is_erased(database: Database) -> bool:
    """True if nothing can be left of removed jobs. An older jobctl left parts of them in unused pages."""
    if meta.value(database, _ERASED):
        return True
    return highest_job(database) == int(database.scalar("SELECT count(*) FROM jobs"))


def note_erased(database: Database) -> None:
    """Store that nothing is left of removed jobs."""
    with database.transaction():
        meta.put_if_new(database, _ERASED, "1")


def highest_job(database: Database) -> int:
    """The highest number that any job ever had."""
    return int(database.scalar("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'") or 0)


def existing(database: Database) -> set[int]:
    """Numbers of all jobs."""
    return {row[0] for row in database.execute("SELECT id FROM jobs")}
