"""What is due some time after now moves along when the wall clock was set."""

from __future__ import annotations

from jobctl.store.database import Database

_WAITING = "state = 2 AND job IN (SELECT id FROM jobs WHERE finished_at IS NULL)"


def shift(database: Database, by: int) -> None:
    """Move retries, deadlines and deliveries by so many microseconds, in the caller's transaction.

    A time that somebody gave as one (``--not-before``) stays.
    """
    database.execute(f"UPDATE items SET due_at = due_at + ? WHERE {_WAITING}", (by,))  # noqa: S608
    database.execute("UPDATE jobs SET deadline_at = deadline_at + ? WHERE finished_at IS NULL", (by,))
    database.execute("UPDATE deliveries SET next_at = next_at + ? WHERE next_at IS NOT NULL", (by,))
