"""Makes databases that only this process sees. One on disk has keys, so memory stays small for any number of rows.

SQLite has such databases itself, but many builds of SQLite keep those in memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from jobctl.store import sqlite
from jobctl.store.database import Database

#: Pages that stay in memory, in KiB.
_CACHE_KIB = 32 << 10
_ON_DISK = "/var/tmp"  # noqa: S108 - the file has a random name and mode 0600, and loses its name at once


class SeenKeys:
    """The keys that an input has had so far, each with the number of the record that had it first."""

    def __init__(self) -> None:
        self._database = _disk_database()
        self._database.execute("BEGIN")

    def add(self, keys: Iterable[tuple[bytes, int]]) -> int:
        """Note (key, record) unless the key is known; returns how many keys are new."""
        return self._database.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?)", keys).rowcount

    def first(self, key: bytes) -> int:
        """The number of the first record that has a key, which must have been added."""
        return int(self._database.scalar("SELECT record FROM keys WHERE key = ?", (key,)))

    def close(self) -> None:
        """Forget all keys."""
        self._database.close()


def scratch_database() -> Database:
    """A database without tables that only this process sees and that is gone when it is closed."""
    return Database(sqlite.connect("", isolation_level=None), Path())


def _disk_database() -> Database:
    """A database in a file without a name, which is gone when it is closed or the process ends, however it ends."""
    folder = None if "TMPDIR" in os.environ or not os.access(_ON_DISK, os.W_OK) else _ON_DISK
    descriptor, path = tempfile.mkstemp(prefix="jobctl-", dir=folder)
    os.close(descriptor)
    try:
        database = Database(sqlite.connect(path, isolation_level=None), Path(path))
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        database.execute("CREATE TABLE keys (key BLOB PRIMARY KEY, record INTEGER) WITHOUT ROWID")
    finally:
        os.unlink(path)
    return database
