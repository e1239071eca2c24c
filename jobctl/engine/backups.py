"""Copies the database every hour, in a thread of its own, so that nothing waits for the copy."""

from __future__ import annotations

import threading

from jobctl.config import Home
from jobctl.errors import JobctlError
from jobctl.process.own_log import say
from jobctl.store import sqlite
from jobctl.store.database import Database
from jobctl.store.opening import backup
from jobctl.store.opening.open import open_database

_LOOK_US = 60_000_000


class Backups:
    """Checks once a minute if a copy is due, and makes it."""

    def __init__(self, database: Database, now: int) -> None:
        self._database = database
        self._home = Home(database.path.parent)
        self._looked_at = now
        self._thread: threading.Thread | None = None

    def make_if_due(self, now: int) -> None:
        """Begin a copy if one is due and none is being made."""
        if 0 <= now - self._looked_at < _LOOK_US:
            return
        self._looked_at = now
        if (self._thread is None or not self._thread.is_alive()) and self._is_due(now):
            self._thread = threading.Thread(target=self._make, args=(now,), name="backup", daemon=True)
            self._thread.start()

    def shift(self, by: int) -> None:
        """The wall clock was set by this many microseconds."""
        self._looked_at += by

    def _is_due(self, now: int) -> bool:
        try:
            return backup.is_due(self._database, now)
        except (OSError, sqlite.Error):  # another process may remove files from the folder at this moment
            return False

    def _make(self, now: int) -> None:
        try:
            database = open_database(self._home)
            try:
                backup.make(database, now)
            finally:
                database.close()
        except (JobctlError, OSError, sqlite.Error) as error:
            # Most likely the disk is full. The next try is in an hour.
            say(f"no backup was made: {error}")
