"""Writes the rows of a job that is not accepted yet, in short transactions, under a number that no command shows.

The number is listed among the jobs that were removed. So ``prune`` removes the rows that a killed submission leaves,
like the rest of a removed job. A lock says that the rows are still wanted, and it ends with the process.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jobctl.config import Home
from jobctl.process import number_locks
from jobctl.store import items, jobs, pruning
from jobctl.store.database import Database

#: The tables that take rows, each with the column that numbers them.
_TABLES = (("items", "item"), ("followed", "number"), ("undone", "item"))
#: Rows removed in one transaction, for which other writers wait.
_REMOVE_AT_ONCE = 20_000


class Staging:
    """A number and the rows under it, until ``accept`` in the transaction that makes the job, or ``discard``."""

    def __init__(self, database: Database, home: Home, now: int) -> None:
        self._database = database
        with database.transaction():
            self.job = jobs.reserve(database)
            database.execute("INSERT INTO prunings (job, at) VALUES (?, ?)", (self.job, now))
            self._locks = number_locks.take(str(home.intakes), self.job)

    def batches(self) -> Iterator[list[bytes]]:
        """The rows that were written so far."""
        for rows in items.pages(self._database, self.job):
            yield [row.payload for row in rows]

    def accept(self, database: Database | None = None) -> None:
        """Make the rows those of a job, in the caller's transaction, which may be on another connection."""
        (database or self._database).execute("DELETE FROM prunings WHERE job = ?", (self.job,))

    def discard(self, database: Database | None = None, *, shrink: bool = False) -> None:
        """Remove the rows, unless they were accepted; ``shrink`` gives the space they took back to the disk.

        The connection may be another one than that which has written them.
        """
        self._database = database or self._database
        while self._remove_some():
            pass
        if shrink:
            pruning.give_back(self._database, lambda: None)

    def _remove_some(self) -> bool:
        """True if more may follow."""
        with self._database.transaction():
            if not self._database.scalar("SELECT 1 FROM prunings WHERE job = ?", (self.job,)):
                return False
            left = sum(self._remove_from(table, key) for table, key in _TABLES)
            if not left:
                self.accept()  # there is nothing left to prune
            return bool(left)

    def _remove_from(self, table: str, key: str) -> bool:
        """True if more rows exist than were removed."""
        boundary = f"SELECT {key} FROM {table} WHERE job = ? ORDER BY {key} LIMIT 1 OFFSET ?"  # noqa: S608
        last = self._database.scalar(boundary, (self.job, _REMOVE_AT_ONCE))
        delete = f"DELETE FROM {table} WHERE job = ? AND {key} < ?"  # noqa: S608
        self._database.execute(delete, (self.job, 1 << 62 if last is None else last))
        return last is not None

    def close(self) -> None:
        """Release the lock on the number."""
        number_locks.release(self._locks, self.job)


def is_wanted(locks: Path, job: int) -> bool:
    """True if a process is still writing rows under a number."""
    return number_locks.is_taken(str(locks), job)
