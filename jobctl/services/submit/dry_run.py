"""``--dry-run``: make all checks of a submission, and write nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobctl.domain.content import fingerprint
from jobctl.services.submit import idempotency
from jobctl.services.submit.feed import Batch
from jobctl.services.submit.idempotency import Comparison
from jobctl.services.submit.intake import rules_of
from jobctl.services.submit.new_job import Submission
from jobctl.store import jobs
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow
from jobctl.store.opening.open import open_database
from jobctl.store.scratch import scratch_database

if TYPE_CHECKING:
    from jobctl.services.submit.row_keys import RowKeys


class DryRun:
    """One submission, compared with its store, which may not exist yet."""

    def __init__(self, submission: Submission) -> None:
        home, request, *_ = submission
        self._submission = submission
        self._request = request
        #: Rows that are done already (``--only-new``).
        self.skipped = 0
        self._followed: Counter[int] = Counter()  # rows that are open in another job, by its number
        #: The job that has its key.
        self.owner: JobRow | None = None
        self._exists = home.database.exists()
        self._needs_store = request.item_key is not None or request.key is not None or request.unique
        self._home = home

    @property
    def followed(self) -> tuple[tuple[int, int], ...]:
        """(other job, number of rows that are open there)."""
        return tuple(sorted(self._followed.items()))

    def batches(self) -> Iterator[Batch]:
        """Yield the rows that would be accepted. Raises the errors of a submission, some of them only at the end."""
        source = self._submission.source
        self._rules = rules = rules_of(self._submission)
        if not self._needs_store:
            yield from source.batches(rules)
            return
        database = open_database(self._home) if self._exists else scratch_database()
        try:
            keys = self._row_keys(database)
            comparison = self._comparison(database)
            for batch in source.batches(rules):
                if comparison is not None:
                    comparison.add(batch)
                yield batch if keys is None else self._new(batch, keys)
            self._conclude(database, keys, comparison)
        finally:
            database.close()
            if rules.keys is not None:
                rules.keys.close()

    def _row_keys(self, database: Database) -> RowKeys | None:
        if self._request.item_key is None:
            return None
        from jobctl.services.submit.row_keys import row_keys

        keys = row_keys(database, self._submission, only_new=self._request.only_new and self._exists)
        keys.scan_live_jobs()
        return keys

    def _comparison(self, database: Database) -> Comparison | None:
        if self._request.key is None or not self._exists:
            return None
        self.owner = jobs.by_key(database, self._request.stored_key or "")
        return None if self.owner is None else Comparison(database, self.owner)

    def _new(self, batch: Batch, keys: RowKeys) -> Batch:
        new = keys.take(batch, now=None)
        self.skipped += new.skipped
        self._followed.update(other for other, _ in new.followed)
        return new.items

    def _conclude(self, database: Database, keys: RowKeys | None, comparison: Comparison | None) -> None:
        request = self._request
        if keys is not None and self.owner is None:
            keys.check(request.input, self._rules)
        work = self._submission.work()
        if comparison is not None and self.owner is not None:
            comparison.check(work)
            if request.on_duplicate == "fail":
                raise idempotency.duplicate(self.owner)
        elif request.unique and self._exists:
            idempotency.check_unique(database, 0, fingerprint(*work))
