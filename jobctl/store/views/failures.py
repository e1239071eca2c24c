"""Reads the causes of failure of a job. Their number is bounded."""

from __future__ import annotations

from typing import NamedTuple

from jobctl.store.database import Database
from jobctl.store.sound import sound


class FailureView(NamedTuple):
    """A cause of failure."""

    id: int
    code: str
    message: str
    outcome: str
    retryable: int
    items: int
    attempts: int
    first_at: int
    last_at: int
    samples: str


def failures(database: Database, number: int) -> list[FailureView]:
    """The causes of a job (a bounded number), the cause of most failed items first."""
    rows = database.execute(
        "SELECT id, code, message, outcome, retryable, items, attempts, first_at, last_at, samples FROM failures"
        " WHERE job = ? ORDER BY items DESC, attempts DESC, id",
        (number,),
    )
    return [FailureView._make(sound(FailureView, row)) for row in rows]
