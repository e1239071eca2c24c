"""Named queues. One without a row has no limit of its own and is open."""

from __future__ import annotations

from jobctl.store.database import Database


def slots(database: Database) -> dict[str, int | None]:
    """Slots of the queues that have a row."""
    return dict(database.execute("SELECT name, slots FROM queues").fetchall())
