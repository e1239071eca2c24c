"""What commands ask of the engine: rows that are there until they are obeyed, whichever engine does it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from jobctl.store.database import Database

CANCEL = "cancel"
FOLLOW = "follow"


@dataclass(frozen=True, slots=True)
class Request:
    """End a job or an item, or bring here what it writes (``verb``)."""

    job: int
    item: int | None
    verb: str
    now: bool
    actor: str
    reason: str


def add(database: Database, request: Request, at: int) -> None:
    """Leave a request, in the caller's transaction."""
    database.execute(
        "INSERT INTO requests (at, job, item, verb, now, actor, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (at, request.job, request.item, request.verb, int(request.now), request.actor, request.reason),
    )


def waiting(database: Database) -> list[tuple[int, Request]]:
    """What is asked, oldest first, by number."""
    rows = database.execute("SELECT id, job, item, verb, now, actor, reason FROM requests ORDER BY id").fetchall()
    return [(row[0], Request(row[1], row[2], row[3], bool(row[4]), row[5], row[6])) for row in rows]


def drop(database: Database, numbers: Iterable[int]) -> None:
    """These are obeyed, in the caller's transaction."""
    database.executemany("DELETE FROM requests WHERE id = ?", [(number,) for number in numbers])
