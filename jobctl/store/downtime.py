"""The time without a daemon, from the last sign of one daemon to the start of the next.

This time does not count for an attempt that was cut off, which ended with its daemon at the latest as far as the store
can know. It does not count for the active time of a job either.
"""

from __future__ import annotations

from jobctl.store import daemon, meta
from jobctl.store.database import Database

_KEY = "down_since"


def begin(database: Database) -> None:
    """Remember the last sign of the engine before, which the heartbeat of this one is about to overwrite.

    An engine calls it in its transaction if its executor has no attempts. If the previous engine died before ``end``,
    the time that it remembered stays.
    """
    row = daemon.load(database)
    if row is not None:
        meta.put_if_new(database, _KEY, str(row.heartbeat_at))


def since(database: Database) -> int | None:
    """The time of the last heartbeat of the last daemon; None if it is unknown, or ``end`` has dealt with it."""
    found = meta.value(database, _KEY)
    return None if found is None else int(found)


def shift(database: Database, by: int) -> None:
    """Move the remembered time, because the wall clock was set by this number of microseconds."""
    database.execute("UPDATE meta SET value = CAST(value AS INTEGER) + ? WHERE key = ?", (by, _KEY))


def end(database: Database, now: int, scope: int | None) -> None:
    """Subtract the time from the jobs that the engine works for, in the transaction in which it takes over.

    A pause within that time is already subtracted, as a pause.
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
    """The time for which a job was not paused between two moments; ``is_paused`` is its state at the end."""
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
