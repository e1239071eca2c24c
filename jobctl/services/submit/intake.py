"""Write one submission into the database."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from jobctl.domain.payload import RowRules, key_reader
from jobctl.domain.texts import DEFAULT_QUEUE
from jobctl.domain.wording import plural
from jobctl.errors import NotFound
from jobctl.process.this_process import actor
from jobctl.services.submit.feed import Batch, Feed, Rejects
from jobctl.services.submit.new_job import Submission, first_values, last_values
from jobctl.services.submit.request import Accepted
from jobctl.store import clock, followed, items, jobs, journal, queues
from jobctl.store.database import Database

if TYPE_CHECKING:
    from jobctl.services.submit.idempotency import Comparison
    from jobctl.services.submit.row_keys import RowKeys
    from jobctl.store.job_row import JobRow
    from jobctl.store.outbox import NewTarget


class Intake:
    """Reads a source into a new job, or finds the job that has its key."""

    database: Database

    def __init__(self, submission: Submission, now: int) -> None:
        request, source = submission.request, submission.source
        self.submission = submission
        self.now = now
        self.followed: Counter[int] = Counter()  # rows that are open in another job, by its number
        self._uid = ""  # of the job, once all its rows are written
        self._skipped = 0
        self._rejects = Rejects(submission.home.results)
        self._rules = rules_of(submission)
        self.feed = Feed(source.batches(self._rules, self._rejects.add))
        self._is_short: bool | None = None  # unknown
        self._targets: list[NewTarget] = []
        if request.notify.is_given:  # few submissions have targets to notify
            from jobctl.services.notify import make_targets

            self._targets = make_targets(request.notify, os.environ)

    def read_head(self) -> None:
        """Read the beginning of the input before the store is created, so that a refused input leaves no store."""
        try:
            self._is_short = self.feed.read_head()
        except BaseException:
            self._close()
            raise

    def run(self, database: Database, accept_in_parts: Callable[[Intake, RowKeys | None], Accepted]) -> Accepted:
        """Accept it: the job appears in one commit, with all its rows.

        No other command waits for the reading: an input that is not too large is read before its only transaction
        begins. ``accept_in_parts`` writes the rows of a larger one in many transactions, invisibly, and the last one
        accepts them.
        """
        self.database = database
        if self._is_short is None:
            self.read_head()
        keys = None if self.submission.request.item_key is None else self._row_keys()
        try:
            if self._is_short:
                return self._at_once(keys)
            return accept_in_parts(self, keys)
        except BaseException:
            self._rejects.discard()
            raise
        finally:
            self._close()
            if keys is not None:
                keys.close()

    def _close(self) -> None:
        self._rejects.close()
        if self._rules.keys is not None:
            self._rules.keys.close()

    def _row_keys(self) -> RowKeys | None:
        from jobctl.services.submit.row_keys import row_keys

        return row_keys(self.database, self.submission, only_new=self.submission.request.only_new)

    def _at_once(self, keys: RowKeys | None) -> Accepted:
        """Accept the job in one transaction, in which no other command can take its key."""
        key = self.submission.request.stored_key
        if keys is not None:
            keys.scan_live_jobs()
        with self.database.transaction():
            self.now = clock.follow(self.database, self.now)
            owner = None if key is None else jobs.by_key(self.database, key)
            if owner is not None:
                return self.found(owner, self.compared(owner, self.feed))
            if keys is not None:  # again, for jobs that came since: no other command can submit now
                keys.scan_live_jobs()
            values = first_values(self.submission, self.now)
            job = jobs.insert(self.database, values)
            rows = self.put(job, 0, self.feed, keys)
            return self.accept(job, values["uid"], rows, keys)

    def committed_job(self) -> int | None:
        """The number of the job if it was committed. An interruption may come just before the commit or after it."""
        if not self._uid:
            return None
        from jobctl.store.views.jobs import job_of_uid  # an interruption is rare

        return job_of_uid(self.database, self._uid)

    def put(self, job: int, last: int, batches: Iterable[Batch], keys: RowKeys | None) -> int:
        """Write the next rows after number ``last``, in the caller's transaction; returns the new last number."""
        for batch in batches:
            rows = batch
            if keys is not None:
                rows, waiting, skipped = keys.take(batch, now=self.now)
                self._skipped += skipped
                followed.hold(self.database, job, self.followed.total() + 1, waiting)
                self.followed.update(other for other, _ in waiting)
            items.enqueue(self.database, job, last + 1, rows)
            last += len(rows)
        return last

    def accept(self, job: int, uid: str, rows: int, keys: RowKeys | None) -> Accepted:
        """Complete a job whose rows are written, in the caller's transaction. Raises NotFound, KeyConflict."""
        home, request, _, source, handler, _ = self.submission
        database = self.database
        if keys is not None:
            self._check_keys(job, keys)
        for other, _ in request.after:  # they existed when the command began, and ``prune`` may have removed them
            if jobs.load(database, other) is None:
                raise NotFound(f"--after {other}: that job was removed meanwhile", hint="jobctl status --all")
        values = last_values(database, self.submission, job)
        jobs.update(database, job, total=rows, queued=rows, skipped=self._skipped, **values)
        if request.queue != DEFAULT_QUEUE:
            queues.keep(database, request.queue)
        if request.unique:
            from jobctl.services.submit import idempotency

            idempotency.check_unique(database, job, values["fingerprint"])
        command, reason = request.shown_command, plural(rows, "item")
        journal.note(database, job, journal.SUBMITTED, at=self.now, actor=actor(), reason=reason, command=command)
        if request.hold:
            journal.note(database, job, journal.HELD, at=self.now, actor=actor())
        if self._targets:
            from jobctl.store import outbox

            outbox.add_targets(database, job, self._targets)
        rejected = self._rejects.keep(home.job_results(job)) if source.rejected else None
        self._uid = uid
        return Accepted(
            *(job, uid, values["name"], rows, source.rejected, rejected, request.policy, self._skipped),
            not_selected=source.not_selected,
            constant=handler.constant and rows > 1,
            appended=handler.appended,
            queue_paused=queues.is_paused(database, request.queue),
            followed=tuple(sorted(self.followed.items())),
            compared_otherwise=self._compared_otherwise(job) if request.only_new else None,
            notices=tuple(source.notices),
        )

    def _check_keys(self, job: int, keys: RowKeys) -> None:
        """Raises InputRejected for duplicate keys; records the jobs that have rows of this one."""
        request = self.submission.request
        keys.check(request.input, self._rules)
        if not keys.others:
            return
        after = [*request.after, *((other, followed.CONDITION) for other in sorted(keys.others))]
        jobs.update(self.database, job, after=json.dumps(after))
        if request.foreground:
            from jobctl.services.submit import idempotency

            idempotency.take_to_foreground(self.database, job)

    def _compared_otherwise(self, job: int) -> int | None:
        """Return the earlier job with another ``--new-by``: the user must know that its rows count as not done."""
        request = self.submission.request
        before = jobs.newest_with_keys(self.database, request.name or "", job)
        return None if before is None or set(before.policy.new_by) == set(request.new_by) else before.id

    def compared(self, owner: JobRow, batches: Iterable[Batch]) -> Comparison:
        """Compare the rows of the input with those of the job that has its key."""
        from jobctl.services.submit.idempotency import Comparison

        comparison = Comparison(self.database, owner)
        for batch in batches:
            comparison.add(batch)
        return comparison

    def found(self, owner: JobRow, comparison: Comparison) -> Accepted:
        """Return the job that has the key. Raises KeyConflict if it is other work."""
        from jobctl.services.submit import idempotency

        request = self.submission.request
        comparison.check(self.submission.work())
        resumed = 0
        if request.on_duplicate == "fail":
            raise idempotency.duplicate(owner)
        if request.on_duplicate == "resume":
            resumed = idempotency.resume(self.database, owner, request.policy, self.now)
        if request.foreground:
            idempotency.take_to_foreground(self.database, owner.id)
        return Accepted(
            *(owner.id, owner.uid, owner.name, owner.total, 0, None, owner.policy),
            replayed=True,
            resumed=resumed,
            notices=tuple(self.submission.source.notices),
        )


def rules_of(submission: Submission) -> RowRules:
    """Return the rules for every row: those of the handler and of the key. The caller closes ``keys`` of the rules."""
    request, source = submission.request, submission.source
    rules, column = submission.handler.check, request.item_key
    if submission.way_back is not None and source.format == "jsonl":
        rules = replace(rules, required=rules.required | submission.way_back.required)
    if column is None:
        return rules
    from jobctl.services.submit.key_rules import FirstOfKey

    read_key = key_reader(source.format, source.columns or (), column)
    keys = FirstOfKey(column, read_key, skips=request.input.invalid == "skip")
    required = rules.required | {column} if source.format == "jsonl" else rules.required
    return replace(rules, required=required, keys=keys)
