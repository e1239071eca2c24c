"""``--dry-run``: everything that a submission would be judged by, and nothing written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobctl.config import Home
from jobctl.domain.fingerprint import Work, fingerprint
from jobctl.handlers.handler import Handler
from jobctl.services.submit import idempotency
from jobctl.services.submit.feed import Batch
from jobctl.services.submit.idempotency import Comparison
from jobctl.services.submit.intake import rules_of
from jobctl.services.submit.request import SubmitRequest, Surroundings
from jobctl.sources.source import Source
from jobctl.store import jobs
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow
from jobctl.store.opening.open import open_database
from jobctl.store.scratch import scratch_database

if TYPE_CHECKING:
    from jobctl.services.submit.row_keys import RowKeys


class Rehearsal:
    """One submission beside the store that it is meant for, which need not exist."""

    def __init__(self, home: Home, source: Source, handler: Handler, request: SubmitRequest) -> None:
        self._source = source
        self._handler = handler
        self._request = request
        #: Rows that are done already (``--only-new``).
        self.skipped = 0
        self._followed: Counter[int] = Counter()  # rows that are open in another job, by its number
        #: The job that its key stands for.
        self.owner: JobRow | None = None
        self._exists = home.database.exists()
        self._needs_store = request.item_key is not None or request.key is not None or request.unique
        self._home = home

    @property
    def followed(self) -> tuple[tuple[int, int], ...]:
        """(job, rows that are open there)."""
        return tuple(sorted(self._followed.items()))

    def batches(self, surroundings: Surroundings) -> Iterator[Batch]:
        """The rows that would be accepted. Raises what the submission would raise, the last of it at the end."""
        self._rules = rules = rules_of(self._handler, self._source, self._request)
        if not self._needs_store:
            yield from self._source.batches(rules)
            return
        database = open_database(self._home) if self._exists else scratch_database()
        try:
            keys = self._row_keys(database)
            comparison = self._comparison(database)
            for batch in self._source.batches(rules):
                if comparison is not None:
                    comparison.add(batch)
                yield batch if keys is None else self._new(batch, keys)
            self._conclude(database, keys, comparison, surroundings)
        finally:
            database.close()
            if rules.keys is not None:
                rules.keys.close()

    def _row_keys(self, database: Database) -> RowKeys | None:
        if self._request.item_key is None:
            return None
        from jobctl.services.submit.row_keys import row_keys

        only_new = self._request.only_new and self._exists
        keys = row_keys(database, self._source, self._handler.kind, self._request, only_new=only_new)
        if keys is not None:
            keys.look_around()
        return keys

    def _comparison(self, database: Database) -> Comparison | None:
        if self._request.key is None or not self._exists:
            return None
        self.owner = jobs.by_key(database, self._request.key)
        return None if self.owner is None else Comparison(database, self.owner)

    def _new(self, batch: Batch, keys: RowKeys) -> Batch:
        new = keys.take(batch, now=None)
        self.skipped += new.skipped
        self._followed.update(other for other, _ in new.followed)
        return new.items

    def _conclude(
        self, database: Database, keys: RowKeys | None, comparison: Comparison | None, surroundings: Surroundings
    ) -> None:
        request, source = self._request, self._source
        if keys is not None and self.owner is None:
            keys.check(request.input, self._rules)
        columns = source.columns or ()
        work = Work(columns, source.rows_sha256, self._handler.kind, request.work_command, surroundings.given)
        if comparison is not None and self.owner is not None:
            comparison.check(work)
            if request.on_duplicate == "fail":
                raise idempotency.duplicate(self.owner)
        elif request.unique and self._exists:
            idempotency.check_unique(database, 0, fingerprint(*work))
