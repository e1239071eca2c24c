"""What commands ask of the engine: rows it takes, obeys and deletes in one transaction."""

from __future__ import annotations

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


def take(database: Database) -> list[Request]:
    """Remove and return what is waiting, oldest first, in the caller's transaction."""
    rows = database.execute("SELECT id, job, item, verb, now, actor, reason FROM requests ORDER BY id").fetchall()
    if rows:
        database.execute("DELETE FROM requests WHERE id <= ?", (rows[-1][0],))
    return [Request(job, item, verb, bool(now), actor, reason) for _, job, item, verb, now, actor, reason in rows]
