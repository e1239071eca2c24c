"""Reads the settings of queues, and how many jobs and items are in them."""

from __future__ import annotations

from typing import NamedTuple

from jobctl.domain.texts import restored, shown
from jobctl.store.cells import checked_cells
from jobctl.store.database import Database


class QueueView(NamedTuple):
    """A named lane with settings of its own."""

    slots: int | None
    paused_at: int | None
    pause_reason: str
    rate: str | None
    tokens: float | None  # starts that the rate had left at ``tokens_at``
    tokens_at: int | None


def queue(database: Database, name: str) -> QueueView:
    """The settings of a queue; one without a row is open and has no limit of its own."""
    row = database.one(f"SELECT {', '.join(QueueView._fields)} FROM queues WHERE name = ?", (name,))  # noqa: S608 - names of fields
    return (
        QueueView(None, None, "", None, None, None) if row is None else QueueView._make(checked_cells(QueueView, row))
    )


def queue_loads(database: Database) -> dict[str, tuple[int, int, int]]:
    """(live jobs, items that wait, items that an executor has) by queue."""
    rows = database.execute(
        "SELECT queue, count(*), sum(queued + retrying), sum(running) FROM jobs"
        " WHERE finished_at IS NULL GROUP BY queue"
    )
    return {shown(restored(name)): (jobs, queued, running) for name, jobs, queued, running in rows}
