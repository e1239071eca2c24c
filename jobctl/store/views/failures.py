"""Reads the causes of failure of a job. Their number is bounded."""

from __future__ import annotations

from typing import NamedTuple

from jobctl.store.cells import checked_cells
from jobctl.store.database import Database


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


_SELECT = f"SELECT {', '.join(FailureView._fields)} FROM failures WHERE job = ?"  # noqa: S608 - column names of this module


def failures(database: Database, number: int) -> list[FailureView]:
    """The causes of a job, the cause of most failed items first."""
    rows = database.execute(f"{_SELECT} ORDER BY items DESC, attempts DESC, id", (number,))
    return [FailureView._make(checked_cells(FailureView, row)) for row in rows]


def top_failures(database: Database, number: int, limit: int) -> list[FailureView]:
    """The causes of most failed items, without causes that no item failed for."""
    rows = database.execute(f"{_SELECT} AND items > 0 ORDER BY items DESC, id LIMIT ?", (number, limit))
    return [FailureView._make(checked_cells(FailureView, row)) for row in rows]
