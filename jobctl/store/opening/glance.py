"""A connection that only tells whether a store has changed, for a process that answers many questions about it."""

from __future__ import annotations

from typing import NamedTuple

from jobctl.config import Home
from jobctl.errors import NotFound
from jobctl.store import sqlite
from jobctl.store.database import Database


class Seen(NamedTuple):
    """What tells one version of a job from the next."""

    revision: int
    is_done: bool


class Glance:
    """A connection that never waits and never writes. Another connection must have opened and checked the store."""

    def __init__(self, home: Home) -> None:
        """Raises NotFound without a store, sqlite.Error."""
        if not home.database.exists():
            raise NotFound(f"there is no store at {home.root}")
        address = f"{home.database.absolute().as_uri()}?mode=rw"
        connection = sqlite.connect(address, uri=True, timeout=0, isolation_level=None)
        connection.execute("PRAGMA wal_autocheckpoint=0")
        self._database = Database(connection, home.database)

    def version(self) -> int | None:
        """A number that changes with every commit of another connection; None if the store is not there any more."""
        return self._database.data_version() if self._database.is_in_place() else None

    def job(self, number: int) -> Seen | None:
        """The version of a job; None for a job that does not exist."""
        row = self._database.one("SELECT revision, finished_at IS NOT NULL FROM jobs WHERE id = ?", (number,))
        return None if row is None else Seen(row[0], bool(row[1]))

    def close(self) -> None:
        """Close the connection."""
        self._database.close()
