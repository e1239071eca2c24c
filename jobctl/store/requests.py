"""Keeps the requests of commands to the engine. A request stays until any engine has carried it out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jobctl.store import meta
from jobctl.store.database import Database

CANCEL = "cancel"
FOLLOW = "follow"
#: A request to end a set of items (``store.cancelled``): ``reason`` has the number of the set. An engine of a version
#: that does not know it ends one item of the set, ``item``.
CANCEL_ITEMS = "cancel_items"
#: The request to move the whole write-ahead log into the database. It has the job number 0. An engine that does not
#: know it drops it.
CHECKPOINT = "checkpoint"
_CHECKPOINTED = "checkpointed"  # in meta: the tokens of the latest requests that were carried out
_ANSWERS_KEPT = 20


class Request(NamedTuple):
    """A request to end a job or an item, or to bring its output to this machine (``verb``)."""

    job: int
    item: int | None
    verb: str
    now: bool
    actor: str
    reason: str


def add(database: Database, request: Request, at: int) -> None:
    """Write a request, in the caller's transaction."""
    database.execute(
        "INSERT INTO requests (at, job, item, verb, now, actor, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (at, request.job, request.item, request.verb, int(request.now), request.actor, request.reason),
    )


def waiting(database: Database) -> list[tuple[int, Request]]:
    """All requests with their numbers, oldest first."""
    rows = database.execute("SELECT id, job, item, verb, now, actor, reason FROM requests ORDER BY id").fetchall()
    return [(row[0], Request(row[1], row[2], row[3], bool(row[4]), row[5], row[6])) for row in rows]


def drop(database: Database, numbers: Iterable[int]) -> None:
    """Remove requests that were carried out, in the caller's transaction."""
    database.executemany("DELETE FROM requests WHERE id = ?", [(number,) for number in numbers])


def ask_for_checkpoint(database: Database, actor: str, at: int) -> str:
    """Ask the engine to empty the write-ahead log of everything that is committed by now; returns a token."""
    import uuid  # takes 10 ms to load, and few commands ask for this

    token = uuid.uuid4().hex
    with database.transaction():
        add(database, Request(0, None, CHECKPOINT, False, actor, token), at)
    return token


def checkpoints(database: Database) -> list[str]:
    """The tokens of the commands that wait for a checkpoint."""
    return [row[0] for row in database.execute("SELECT reason FROM requests WHERE verb = ? ORDER BY id", (CHECKPOINT,))]


def checkpointed(database: Database, tokens: Sequence[str]) -> None:
    """Answer requests for a checkpoint: the commands that asked wait to read their tokens."""
    with database.transaction():
        for token in tokens:
            _withdraw(database, token)
        answered = [*_answered(database), *tokens][-_ANSWERS_KEPT:]
        meta.put(database, _CHECKPOINTED, " ".join(answered))


def is_checkpointed(database: Database, token: str) -> bool | None:
    """True if the checkpoint of a request was made; None if an engine that did not know it dropped the request."""
    is_asked = token in checkpoints(database)  # read first: it may be answered in between
    return True if token in _answered(database) else False if is_asked else None


def withdraw_checkpoint(database: Database, token: str) -> None:
    """Remove a request for a checkpoint: the command does not wait for it any longer."""
    with database.transaction():
        _withdraw(database, token)


def _withdraw(database: Database, token: str) -> None:
    database.execute("DELETE FROM requests WHERE verb = ? AND reason = ?", (CHECKPOINT, token))


def _answered(database: Database) -> list[str]:
    return (meta.value(database, _CHECKPOINTED) or "").split()
