"""A connection to the database, and transactions on it. ``store.opening`` makes the connections.

Writes begin IMMEDIATE and wait for their turn. A connection never crosses a fork: two processes that share one can
corrupt the file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jobctl.errors import Busy, StoreError
from jobctl.store import sqlite

#: Seconds for which a command waits for its turn to write before it gives up with a message.
BUSY_DEADLINE_S = 60.0
#: Errors of a transaction that may succeed later: no room, an I/O error, another process that keeps the database.
UNWRITABLE = (sqlite.OperationalError, Busy)


class Database:
    """One connection, owned by the process that opened it."""

    def __init__(self, connection: sqlite.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path
        self.execute = connection.execute
        self.executemany = connection.executemany
        self._pid = os.getpid()
        self._file = os.stat(path) if path.name else None  # None: in memory
        self._parts: dict[str, os.stat_result] = {}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN IMMEDIATE ... COMMIT, rolled back on any exception. The commit survives a power cut.

        Raises Busy when other writers kept the database for BUSY_DEADLINE_S.
        """
        if os.getpid() != self._pid:
            raise StoreError("a database connection was carried across a fork")
        self.patiently("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.execute("ROLLBACK")
            raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Several reads that see one moment. Keep it short: a read transaction holds up the checkpointer."""
        self.execute("BEGIN")
        try:
            yield
        finally:
            self.execute("ROLLBACK")

    def patiently(self, sql: str) -> Any:
        """The first row of a statement that needs the database for itself, tried until other processes release it.

        Raises Busy if they do not within BUSY_DEADLINE_S.
        """
        deadline = time.monotonic() + BUSY_DEADLINE_S
        while True:
            try:
                return self.execute(sql).fetchone()
            except sqlite.OperationalError as error:
                if not sqlite.is_busy(error):
                    raise
                if time.monotonic() > deadline:
                    raise Busy(
                        f"other commands kept the database busy for {BUSY_DEADLINE_S:.0f} s",
                        hint="try again; `jobctl doctor` names what holds it",
                    ) from error
                import random  # most commands do not wait, and start faster without it

                time.sleep(random.uniform(0.001, 0.05))  # noqa: S311 - jitter between writers, not a secret

    def one(self, sql: str, parameters: Any = ()) -> Any:
        """The first row, or None."""
        return self.execute(sql, parameters).fetchone()

    def scalar(self, sql: str, parameters: Any = ()) -> Any:
        """The first column of the first row, or None."""
        row = self.execute(sql, parameters).fetchone()
        return None if row is None else row[0]

    @property
    def in_transaction(self) -> bool:
        """True if a transaction is open on this connection."""
        return self.connection.in_transaction

    def data_version(self) -> int:
        """A number that changes when another connection commits. It means nothing to any other connection."""
        return int(self.execute("PRAGMA data_version").fetchone()[0])

    def is_in_place(self) -> bool:
        """True if its file is still at its path: not removed, and not replaced by another file."""
        try:
            return self._file is None or os.path.samestat(os.stat(self.path), self._file)
        except FileNotFoundError:
            return False
        except OSError:  # a disk that fails does not mean that the file was removed
            return True

    def watch_files(self) -> None:
        """Remember the files that this connection has open, for ``displaced``. It must have read something before."""
        self._parts = {f"{self.path}{suffix}": os.stat(f"{self.path}{suffix}") for suffix in ("", "-wal", "-shm")}

    def displaced(self) -> str:
        """The name of the first watched file that was removed or replaced; empty if all are in place."""
        for name, known in self._parts.items():
            try:
                if not os.path.samestat(os.stat(name), known):
                    return os.path.basename(name)
            except FileNotFoundError:
                return os.path.basename(name)
            except OSError:  # a disk that fails does not mean that the file was removed
                continue
        return ""

    def checkpoint(self) -> bool:
        """Move the WAL into the database file and empty it. Only for the holder of the daemon lock.

        False if a reader was in the way: then a part of the WAL is left.
        """
        (busy, *_) = self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
