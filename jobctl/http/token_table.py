"""The tokens of a store as the server looks them up: at every request, without opening the store for each."""

from __future__ import annotations

import time

from jobctl.config import Home
from jobctl.domain.tokens import Token
from jobctl.services.tokens import is_of, token_of
from jobctl.store import sqlite
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database

#: Texts that are remembered between two changes of the store.
_MOST = 1_000
#: Seconds between two looks whether the store is still at its place.
_LOOK_S = 1.0


class TokenTable:
    """Finds tokens by their text. What it remembers counts until the store changes, so a revocation counts at once.

    It belongs to one thread, that of the event loop.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._database: Database | None = None
        self._version = -1
        self._look_at = 0.0
        self._found: dict[str, Token | None] = {}

    def find(self, text: str) -> Token | None:
        """The token of a text; None for one that does not exist or is revoked. Raises JobctlError, sqlite.Error."""
        if not is_of(text):
            return None
        database = self._current()
        if text not in self._found:
            if len(self._found) >= _MOST:
                self._found.clear()
            self._found[text] = token_of(database, text)
        return self._found[text]

    def close(self) -> None:
        """Close the connection to the store."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _current(self) -> Database:
        """A connection to the store that is at its place now."""
        now = time.monotonic()
        if self._database is not None and now > self._look_at:
            self._look_at = now + _LOOK_S
            if not self._database.is_in_place():
                self.close()
        if self._database is None:
            self._database, self._version = open_database(self._home), -1
        try:
            version = self._database.data_version()
        except sqlite.Error:
            self.close()
            raise
        if version != self._version:
            self._version = version
            self._found.clear()
        return self._database
