"""Reads events, which are the lines of the journal and the outcomes of items, in the order of their ids."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jobctl.store.cells import checked_cells
from jobctl.store.database import Database


class EventLine(NamedTuple):
    """A line of the journal; ``body`` is the event itself where it was kept."""

    id: int
    at: int
    job: int
    item: int | None
    actor: str
    event: str
    reason: str
    data: str
    body: bytes  # empty without one


class EventJob(NamedTuple):
    """The facts about a job that each of its events has."""

    job: int
    uid: str
    name: str
    key: str | None
    queue: str


class EndedAttempt(NamedTuple):
    """An attempt that has ended."""

    item: int
    attempt: int
    round: int
    started_at: int
    ending: int | None
    code: int
    duration_us: int | None
    flags: int
    message: str | None
    host: str | None


_LINES = "SELECT id, at, job, item, actor, event, reason, data, body FROM journal WHERE id > ?"


def lines(database: Database, since: int, job: int | None, limit: int) -> list[EventLine]:
    """The next lines of the journal with ids above ``since``, of one job or of all."""
    of_job, values = ("", (since, limit)) if job is None else (" AND job = ?", (since, job, limit))
    rows = database.execute(f"{_LINES}{of_job} ORDER BY id LIMIT ?", values)
    return [EventLine._make(checked_cells(EventLine, row)) for row in rows]


def jobs(database: Database, numbers: Iterable[int]) -> dict[int, EventJob]:
    """These jobs by number, without those that do not exist."""
    sql = "SELECT id, uid, name, key, queue FROM jobs WHERE id IN (SELECT value FROM json_each(?))"
    rows = database.execute(sql, (json.dumps(sorted(numbers)),))
    found = (EventJob._make(checked_cells(EventJob, row)) for row in rows)
    return {each.job: each for each in found}


def ended_attempts(database: Database, job: int, items: Sequence[int]) -> dict[tuple[int, int], EndedAttempt]:
    """The attempts of some items that have ended, by item and attempt."""
    sql = (
        "SELECT item, attempt, round, started_at, ending, code, duration_us, flags, message, host FROM attempts"
        " WHERE job = ? AND item IN (SELECT value FROM json_each(?)) AND ending IS NOT NULL"
    )
    rows = database.execute(sql, (job, json.dumps(list(items))))
    found = (EndedAttempt._make(checked_cells(EndedAttempt, row)) for row in rows)
    return {(each.item, each.attempt): each for each in found}


def sent_body(database: Database, job: int, rnd: int) -> bytes | None:
    """The notification about the end of a round; None if nobody was notified."""
    sql = "SELECT CAST(body AS BLOB) FROM deliveries WHERE job = ? AND round = ? LIMIT 1"
    found = database.scalar(sql, (job, rnd))
    return found if isinstance(found, bytes) else None


_TIMED = (("id", "journal"), ("id - count + 1", "outcomes"))


def first_id(database: Database, at: int) -> int:
    """The lowest id of the events since a time (microseconds UTC); 0 without one. It reads the times of all events."""
    in_journal, in_outcomes = (f"(SELECT min({number}) FROM {table} WHERE at >= ?1)" for number, table in _TIMED)  # noqa: S608
    found = database.one(f"SELECT {in_journal}, {in_outcomes}", (at,))
    return min((number for number in found if number is not None), default=0)


def nth_last_line(database: Database, count: int) -> int:
    """The id before the last ``count`` lines of the journal; 0 if it has no more lines."""
    sql = "SELECT id FROM journal ORDER BY id DESC LIMIT 1 OFFSET ?"
    return int(database.scalar(sql, (count,)) or 0)


def first_line(database: Database, jobs: Iterable[int]) -> int:
    """The id of the first line of the journal about one of these jobs; 0 if one has none. Outcomes come after it."""
    ids = [database.scalar("SELECT min(id) FROM journal WHERE job = ?", (job,)) or 0 for job in jobs]
    return min(map(int, ids), default=0)
