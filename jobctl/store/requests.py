"""What commands ask of the engine: rows that are there until they are obeyed, whichever engine does it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jobctl.store import meta
from jobctl.store.database import Database

CANCEL = "cancel"
FOLLOW = "follow"
#: Of no job (number 0): move the whole write-ahead log into the database. An engine that does not know it drops it.
CHECKPOINT = "checkpoint"
_CHECKPOINTED = "checkpointed"  # in meta: the tokens of the latest that were obeyed
_ANSWERS_KEPT = 20


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


def ask_for_checkpoint(database: Database, actor: str, at: int) -> str:
    """Ask the engine to empty the write-ahead log of everything that is committed by now; returns a token."""
    token = uuid.uuid4().hex
    with database.transaction():
        add(database, Request(0, None, CHECKPOINT, False, actor, token), at)
    return token


def checkpoints(database: Database) -> list[str]:
    """The tokens of those who ask for a checkpoint."""
    return [row[0] for row in database.execute("SELECT reason FROM requests WHERE verb = ? ORDER BY id", (CHECKPOINT,))]


def checkpointed(database: Database, tokens: Sequence[str]) -> None:
    """These were obeyed: whoever asked waits to read that."""
    with database.transaction():
        for token in tokens:
            _withdraw(database, token)
        answered = [*_answered(database), *tokens][-_ANSWERS_KEPT:]
        meta.put(database, _CHECKPOINTED, " ".join(answered))


def is_checkpointed(database: Database, token: str) -> bool | None:
    """Whether a checkpoint that was asked for was made; None when the request was dropped unread."""
    is_asked = token in checkpoints(database)  # read first: it may be answered in between
    return True if token in _answered(database) else False if is_asked else None


def withdraw_checkpoint(database: Database, token: str) -> None:
    """Nobody waits for it any more."""
    with database.transaction():
        _withdraw(database, token)


def _withdraw(database: Database, token: str) -> None:
    database.execute("DELETE FROM requests WHERE verb = ? AND reason = ?", (CHECKPOINT, token))


def _answered(database: Database) -> list[str]:
    return (meta.value(database, _CHECKPOINTED) or "").split()
