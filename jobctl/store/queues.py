"""Reads and writes named queues. A queue without a row has no limit of its own and is open."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import Any

from jobctl.store.cells import checked_cells
from jobctl.store.database import Database


@dataclass(frozen=True, slots=True)
class QueueRow:
    """The limits of a queue; ``tokens`` is the number of starts that its rate had left at ``tokens_at``."""

    name: str
    slots: int | None = None
    paused_at: int | None = None
    pause_reason: str = ""
    rate: str | None = None
    tokens: float | None = None
    tokens_at: int | None = None


_FIELDS = [f.name for f in fields(QueueRow)]


def load_all(database: Database) -> dict[str, QueueRow]:
    """Every queue that has a row."""
    rows = database.execute(f"SELECT {', '.join(_FIELDS)} FROM queues ORDER BY name")  # noqa: S608 - names of this module
    return {queue.name: queue for queue in (QueueRow(*checked_cells(QueueRow, row)) for row in rows)}


def change(database: Database, name: str, **values: Any) -> bool:
    """Set columns of a queue, which is made if it is new. False if a pause or a resumption changed nothing."""
    before = load_all(database).get(name, QueueRow(name))
    marks = ", ".join("?" * len(_FIELDS))
    after = {f: values.get(f, getattr(before, f)) for f in _FIELDS}
    changed = "paused_at" not in values or (before.paused_at is None) != (values["paused_at"] is None)
    if changed:
        database.execute(
            f"INSERT OR REPLACE INTO queues ({', '.join(_FIELDS)}) VALUES ({marks})",  # noqa: S608
            astuple(QueueRow(**after)),
        )
    return changed


def is_paused(database: Database, name: str) -> bool:
    """True if a queue is paused, so that no item of it starts."""
    return database.scalar("SELECT paused_at FROM queues WHERE name = ?", (name,)) is not None


def names(database: Database) -> list[str]:
    """The queues that were made or that jobs have been in; jobs of earlier versions made none."""
    rows = database.execute("SELECT name FROM queues UNION SELECT queue FROM jobs ORDER BY 1")
    return [name for (name,) in rows if isinstance(name, str)]


def keep(database: Database, name: str) -> None:
    """Give a queue a row when a job is put into it, so that the queue stays when the job has been pruned."""
    database.execute("INSERT OR IGNORE INTO queues (name) VALUES (?)", (name,))
