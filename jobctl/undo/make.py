"""Chooses and writes the rows of an undo job: all in one transaction, or in parts for jobs with many items."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from jobctl.config import Home
from jobctl.errors import Busy
from jobctl.store import jobs, sqlite, undone
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow
from jobctl.store.staging import Staging
from jobctl.store.undone import UndoChoice, UndoCounts
from jobctl.undo.job import NewUndo, Written, accept
from jobctl.undo.rows import UndoRows

#: The rows of a job with more items are written in parts, so that no other command waits for them.
AT_ONCE = 2_000

#: Called with the number of rows that are written, and of all.
Watch = Callable[[int, int], None]


def make_at_once(
    database: Database, home: Home, row: JobRow, choice: UndoChoice, new: NewUndo, now: int
) -> tuple[int | None, UndoCounts]:
    """Make an undo job in the caller's transaction: its number, None if no row is left to take back."""
    counts = undone.choose(database, choice)
    rows = UndoRows(database, home, row)
    try:
        if not counts.taken:
            return None, counts
        job = jobs.reserve(database)
        last = 0
        while (written := rows.write(job, last)) > last:
            last = written
        accept(database, Written(job, counts, rows.sha256), row, new, now)
    finally:
        rows.close()
    return job, counts


class StagedUndo:
    """The rows of an undo job under a number that no command shows, until ``accept`` or ``discard``."""

    def __init__(self, database: Database, home: Home, row: JobRow, choice: UndoChoice) -> None:
        """Choose the rows. Until they are written, the connection chooses no others."""
        self.counts = undone.choose(database, choice)
        self._database = database
        self._home = home
        self._row = row
        self._staging: Staging | None = None
        self._sha256 = ""

    def write(self, now: int, watch: Watch | None = None) -> None:
        """Write the rows, in short transactions of the same connection. After an exception, none of them stay.

        ``watch`` is called before each part and at the end.
        """
        rows = UndoRows(self._database, self._home, self._row)
        try:
            if self.counts.taken:
                self._staging = Staging(self._database, self._home, now)
                self._write_parts(rows, self._staging.job, watch)
        except BaseException:
            with contextlib.suppress(sqlite.Error, Busy):  # if they cannot be removed now, ``prune`` removes them
                self.discard(self._database)
            self.close()
            raise
        finally:
            self._sha256 = rows.sha256
            rows.close()

    def _write_parts(self, rows: UndoRows, job: int, watch: Watch | None) -> None:
        last = -1
        written = 0
        while written > last:
            last = written
            if watch is not None:
                watch(written, self.counts.taken)
            with self._database.transaction():
                written = rows.write(job, last)

    @property
    def job(self) -> int | None:
        """The number of the undo job; None if no row is left to take back."""
        return None if self._staging is None else self._staging.job

    def accept(self, database: Database, new: NewUndo, now: int) -> None:
        """Make the undo job, in the caller's transaction on any connection. Raises RowsChanged."""
        if self._staging is None:
            return
        self._staging.accept(database)
        accept(database, Written(self._staging.job, self.counts, self._sha256), self._row, new, now)

    def discard(self, database: Database) -> None:
        """Remove the rows, on any connection."""
        if self._staging is not None:
            self._staging.discard(database)

    def close(self) -> None:
        """Release the number. ``prune`` removes rows that were neither accepted nor discarded."""
        if self._staging is not None:
            self._staging.close()
