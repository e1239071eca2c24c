"""The time in which nothing worked on the store, from the last sign of one daemon to the start of the next.

It counts neither for an attempt that was cut off, which ended at the latest with its daemon as far as can be known, nor
for the active time of a job.
"""

from __future__ import annotations

from jobctl.store import daemon, meta
from jobctl.store.database import Database

_KEY = "down_since"


def begin(database: Database) -> None:
    """An engine whose executor holds nothing takes over: remember the last sign of the one before, before it is lost.

    In the caller's transaction. What an engine remembered that died before ``end`` is kept.
    """
    row = daemon.load(database)
    if row is not None:
        meta.put_if_new(database, _KEY, str(row.heartbeat_at))


def since(database: Database) -> int | None:
    """When the last daemon gave its last sign; None when it is not known, or everything has been seen to."""
    found = meta.value(database, _KEY)
    return None if found is None else int(found)


def shift(database: Database, by: int) -> None:
    """The wall clock was set by this many microseconds."""
    database.execute("UPDATE meta SET value = CAST(value AS INTEGER) + ? WHERE key = ?", (by, _KEY))


def end(database: Database, now: int, scope: int | None) -> None:
    """Take the time off the jobs that the engine works for, in the transaction in which it takes over.

    A pause within that time is taken off already, as a pause.
    """
    down_since = since(database)
    if down_since is None:
        return
    jobs = database.execute(
        "SELECT id, paused_at IS NOT NULL FROM jobs"
        " WHERE finished_at IS NULL AND started_at IS NOT NULL AND (id = :scope OR :scope IS NULL)",
        {"scope": scope},
    ).fetchall()
    for job, is_paused in jobs:
        down_us = _unpaused_us(database, job, down_since, now, is_paused=bool(is_paused))
        database.execute("UPDATE jobs SET active_us = active_us - ? WHERE id = ?", (down_us, job))
    meta.remove(database, _KEY)


def _unpaused_us(database: Database, job: int, since: int, until: int, *, is_paused: bool) -> int:
    """How much of a time a job was not paused; ``is_paused`` says whether it is at the end of it."""
    events = database.execute(
        "SELECT at, event = 'paused' FROM journal"
        " WHERE job = ? AND item IS NULL AND event IN ('paused', 'resumed') AND at BETWEEN ? AND ? ORDER BY id DESC",
        (job, since, until),
    ).fetchall()
    unpaused_us = 0
    for at, begins_pause in events:  # from the end to the beginning
        unpaused_us += 0 if is_paused else max(0, until - at)
        until, is_paused = min(until, at), not begins_pause
    return unpaused_us + (0 if is_paused else max(0, until - since))
