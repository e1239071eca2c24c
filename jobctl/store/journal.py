"""Writes and reads the journal: the changes of jobs and the commands about items, with actor, time and reason."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from jobctl.domain.texts import shown
from jobctl.store import event_ids
from jobctl.store.cells import checked_cells
from jobctl.store.database import Database

#: The job of lines that are about a queue or about the store.
STORE = 0
#: The number of those lines that are kept.
_KEPT = 1_000
#: Changes of queues; ``data`` has the name of the queue.
QUEUE_PAUSED, QUEUE_RESUMED, QUEUE_SET = "queue_paused", "queue_resumed", "queue_set"
#: The database was replaced by a copy.
RESTORED = "restored"
#: A single item was cancelled.
CANCELLED = "cancelled"
#: A set of items was cancelled, see ``store.cancelled``; ``data`` has its number and how many items are in it.
ITEMS_CANCELLED = "items_cancelled"
#: A job was accepted.
SUBMITTED = "submitted"
#: A job has another round.
RETRIED = "retried"
#: The rules of a job were changed.
RULES_CHANGED = "rules_changed"
#: The round of a job is over; ``reason`` is the state in which it ended.
FINISHED = "finished"
#: A job was paused when it was submitted.
HELD = "held"
#: The failed items of a round have reached 1, 10, 100 and so on; ``data`` has their number.
FAILURES = "failures"
#: An undo job takes rows of the job back.
UNDO = "undo"


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of the journal."""

    at: int
    job: int
    item: int | None
    actor: str
    event: str
    reason: str
    data: dict[str, Any]


def note(
    database: Database,
    job: int,
    event: str,
    *,
    at: int,
    actor: str,
    reason: str = "",
    item: int | None = None,
    **data: Any,
) -> int:
    """Write a line, in the caller's transaction. Returns the id of the event."""
    number = event_ids.take(database)
    details = shown(json.dumps(data, ensure_ascii=False), in_json=True)
    database.execute(
        "INSERT INTO journal (id, at, job, item, actor, event, reason, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (number, at, job, item, shown(actor), event, shown(reason), details),
    )
    return number


def note_of_store(database: Database, event: str, *, at: int, actor: str, reason: str = "", **data: Any) -> None:
    """Write a line that belongs to no job, in the caller's transaction; the oldest of these lines are removed."""
    note(database, STORE, event, at=at, actor=actor, reason=reason, **data)
    oldest = "SELECT id FROM journal WHERE job = ? ORDER BY id DESC LIMIT 1 OFFSET ?"
    database.execute(f"DELETE FROM journal WHERE job = ? AND id <= ({oldest})", (STORE, STORE, _KEPT))  # noqa: S608


def keep_body(database: Database, number: int, body: bytes) -> None:
    """Keep the event about the end of a round with its line, because later rounds change its facts."""
    database.execute("UPDATE journal SET body = ? WHERE id = ?", (body, number))


def entries(database: Database, job: int, item: int | None = None) -> list[JournalLine]:
    """The lines of a job, or of one of its items together with those of the whole job, oldest first."""
    rows = database.execute(
        "SELECT at, job, item, actor, event, reason, data FROM journal"
        " WHERE job = ? AND (? IS NULL OR item IS NULL OR item = ?) ORDER BY id",
        (job, item, item),
    )
    return [JournalLine(*checked_cells(JournalLine, (*row, decoded(data)))) for *row, data in rows]


def cancelled_items(database: Database, job: int, since: int) -> dict[int, str]:
    """The single items that were cancelled since a time (microseconds), each with the reason."""
    sql = "SELECT item, reason FROM journal WHERE job = ? AND event = ? AND item IS NOT NULL AND at >= ? ORDER BY id"
    return dict(database.execute(sql, (job, CANCELLED, since)).fetchall())


def cancelled_sets(database: Database, job: int, since: int) -> dict[int, str]:
    """The sets of items that were cancelled since a time (microseconds), oldest first, each with the reason."""
    sql = "SELECT data, reason FROM journal WHERE job = ? AND event = ? AND at >= ? ORDER BY id"
    rows = database.execute(sql, (job, ITEMS_CANCELLED, since)).fetchall()
    return {batch: reason for data, reason in rows if isinstance(batch := decoded(data).get("batch"), int)}


def done_before(database: Database, job: int, rnd: int) -> tuple[int, int]:
    """(succeeded, failed) items of a job that were not part of its round when the round began."""
    sql = "SELECT data FROM journal WHERE job = ? AND event = ? ORDER BY id DESC LIMIT 1"
    data = decoded(database.scalar(sql, (job, RETRIED)) or "{}") if rnd > 1 else {}
    return data.get("succeeded", 0), data.get("failed", 0)


def decoded(data: str) -> dict[str, Any]:
    """The details of a line; empty if they cannot be read, because the line itself still can."""
    try:
        found = json.loads(data)
    except (ValueError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
