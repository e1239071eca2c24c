"""Finds rows that other live jobs of the same name have. They are not new, and no two jobs may run them at one time.

The rows of those jobs are read once and hashed into a temporary table on disk, so memory stays flat. That costs
nothing where no other job of the name is live.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence

from jobctl.domain.states import ItemState
from jobctl.store import done, followed, items, jobs
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow

#: Rows looked up in one statement.
_AT_ONCE = 250


class Taken:
    """The rows of the live jobs of a name, by hash."""

    def __init__(self, database: Database, name: str, excluded: int = 0) -> None:
        """``excluded`` is the job whose rows are compared: its rows do not count, nor those of jobs that follow it."""
        self._database = database
        self._name = name
        self._excluded = excluded
        self._seen: set[int] = set()
        self._rounds = self._all_rounds()
        database.execute("DROP TABLE IF EXISTS temp.taken")
        database.execute(
            "CREATE TEMP TABLE taken (row BLOB, job INTEGER, done BLOB, PRIMARY KEY (row, job)) WITHOUT ROWID"
        )

    @property
    def is_empty(self) -> bool:
        """True if no other job has any of the rows."""
        return not self._seen

    def scan(self) -> None:
        """Take in the rows of live jobs that were not there at the last call.

        It is called before the transaction of a submission, so that other writers do not wait for the reading, and
        again in that transaction.
        """
        sql = "SELECT id FROM jobs WHERE name = ? AND finished_at IS NULL AND item_key IS NOT NULL ORDER BY id"
        for (number,) in self._database.execute(sql, (self._name,)).fetchall():
            row = None if number in self._seen or number == self._excluded else jobs.load(self._database, number)
            if row is not None:
                self._seen.add(number)
                self._read(row)

    def newcomers(self) -> list[int]:
        """Jobs of the name whose present round began after this object was made, and that ``scan`` has not read."""
        now = self._all_rounds()
        return sorted(job for job, rnd in now.items() if self._rounds.get(job) != rnd and job not in self._seen)

    def _all_rounds(self) -> dict[int, int]:
        sql = "SELECT id, round FROM jobs WHERE name = ? AND item_key IS NOT NULL"
        return dict(self._database.execute(sql, (self._name,)).fetchall())

    def _read(self, row: JobRow) -> None:
        hasher = done.row_hasher(row)
        for batch in self._rows_of(row):
            entries = [
                (
                    hasher.row_hash(payload),
                    row.id,
                    hasher.content_hash(payload) if state == ItemState.SUCCEEDED else None,
                )
                for state, payload in batch
            ]
            with self._together():
                self._database.executemany("INSERT OR REPLACE INTO temp.taken VALUES (?, ?, ?)", entries)

    @contextlib.contextmanager
    def _together(self) -> Iterator[None]:
        """One transaction for a batch, unless the caller has one. Without it SQLite makes one for each row."""
        if self._database.in_transaction:
            yield
            return
        self._database.execute("BEGIN")
        try:
            yield
        finally:
            self._database.execute("COMMIT")

    def _rows_of(self, row: JobRow) -> Iterator[list[tuple[int, bytes]]]:
        """The rows that wait come first: those that become items meanwhile are read twice, and none is missed."""
        if [self._excluded, followed.CONDITION] not in row.after:
            for page in followed.pages(self._database, row.id):
                yield [(ItemState.QUEUED, payload) for payload in page]
        for rows in items.pages(self._database, row.id):
            yield [(state, payload) for _, state, payload in rows]

    def look_up(self, rows: Sequence[bytes]) -> list[dict[int, bytes | None]]:
        """For each row, the jobs that have it, each with the content that succeeded there, or None."""
        found: list[dict[int, bytes | None]] = [{} for _ in rows]
        if self.is_empty:
            return found
        for first in range(0, len(rows), _AT_ONCE):
            for number, job, content in self._query(rows[first : first + _AT_ONCE]):
                found[first + number][job] = content
        return found

    def _query(self, rows: Sequence[bytes]) -> Iterable[tuple[int, int, bytes | None]]:
        asked = ", ".join(f"({number}, ?)" for number in range(len(rows)))
        return self._database.execute(
            f"WITH asked (number, row) AS (VALUES {asked})"  # noqa: S608 - numbers and marks alone
            " SELECT number, taken.job, taken.done FROM asked CROSS JOIN temp.taken ON taken.row = asked.row",
            rows,
        )

    def close(self) -> None:
        """Drop the table."""
        self._database.execute("DROP TABLE IF EXISTS temp.taken")
