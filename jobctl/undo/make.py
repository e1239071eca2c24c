"""Chooses and writes the rows of an undo job: all in one transaction, or in parts for jobs with many items."""

from __future__ import annotations

from jobctl.config import Home
from jobctl.store import jobs, undone
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow
from jobctl.store.staging import Staging
from jobctl.store.undone import UndoChoice, UndoCounts
from jobctl.undo.job import NewUndo, Written, accept
from jobctl.undo.rows import UndoRows

#: The rows of a job with more items are written in parts, so that no other command waits for them.
AT_ONCE = 2_000


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

    def __init__(self, database: Database, home: Home, row: JobRow, choice: UndoChoice, now: int) -> None:
        """Choose the rows and write them, in short transactions of this connection."""
        self.counts = undone.choose(database, choice)
        self._staging: Staging | None = None
        self._row = row
        rows = UndoRows(database, home, row)
        try:
            if self.counts.taken:
                self._staging = Staging(database, home, now)
                self._write(database, rows, self._staging)
        except BaseException:
            self.close()
            raise
        finally:
            self._sha256 = rows.sha256
            rows.close()

    def _write(self, database: Database, rows: UndoRows, staging: Staging) -> None:
        last = 0
        while True:
            with database.transaction():
                written = rows.write(staging.job, last)
            if written == last:
                return
            last = written

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
