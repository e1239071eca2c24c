"""Keeps outcomes from the executor, by job, until a commit has written them to the database."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import NamedTuple

from jobctl.domain.ports import (
    AttemptId,
    Barred,
    Calls,
    Capacity,
    Event,
    Finished,
    Lost,
    Pressure,
    Record,
    Returned,
    Started,
    finished_call,
)
from jobctl.engine.attempts.batch import Batch, lost_as_finished
from jobctl.engine.attempts.repair import OutcomeRepair
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.engine.jobs.live_jobs import LiveJobs
from jobctl.store.database import Database

#: The shortest time between two commits, and the longest time that an outcome waits for others. The supervisor holds
#: outcomes back for the same reason (``supervisor.engine_process.COALESCE_S``): together at most 100 ms.
GROUP_COMMIT_US = 40_000
GROUP_COMMIT_MAX = 1_000
_DURATION = itemgetter(Record._fields.index("duration_us"))
#: The number of calls in one event that cost as much to settle as one outcome that comes alone.
CALLS_FOR_ONE = 16


class Receipts(NamedTuple):
    """The outcomes that the executor may forget: attempts, and the numbers of ``Calls``."""

    attempts: list[AttemptId]
    calls: list[int]


class OutcomeBuffer:
    """The outcomes that were collected and are not committed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.batches: dict[int, Batch] = {}
        self.pressure = ""
        self.capacity: Capacity | None = None  # the latest from the executor
        self.count = 0  # the number of outcomes; the many calls of one event count as few
        self._oldest: int | None = None
        self._committed_at = 0
        self._calls: list[int] = []  # numbers of the events that brought calls
        self._repair = OutcomeRepair()
        self._repaired: set[int] = set()  # jobs whose outcomes could not be settled unchanged

    def take(self, events: Iterable[Event], live_jobs: LiveJobs, now: int) -> Receipts:
        """Sort events by job; returns those that concern no attempt in hand, which may be acknowledged at once."""
        unknown = Receipts([], [])
        for event in events:
            if isinstance(event, Pressure):
                self.pressure = event.reason
                continue
            if isinstance(event, Barred):
                _bar(event, live_jobs)
                continue
            if isinstance(event, Capacity):
                self.capacity = event
                continue
            live = live_jobs.get(event.job)
            if isinstance(event, Calls):
                (self._calls if self._take_calls(live, event, now) else unknown.calls).append(event.number)
                continue
            if live is None or (event.item, event.attempt) not in live.in_hand:
                unknown.attempts.append(AttemptId(event.job, event.item, event.attempt))
                continue
            self._sort_in(live, event, now)
        return self._without_taken(unknown) if any(unknown) else unknown

    def _without_taken(self, unknown: Receipts) -> Receipts:
        """Leave out what was taken in and is not committed: the executor reports an outcome again to a new engine.

        If it were acknowledged now and the engine died before the commit, nobody would have the outcome, and the
        attempt would begin a second time.
        """
        taken = {job: self.ended(job) for job in {attempt.job for attempt in unknown.attempts}}
        attempts = [each for each in unknown.attempts if each[1:] not in taken[each.job]]
        return Receipts(attempts, [number for number in unknown.calls if number not in self._calls])

    def _take_calls(self, live: LiveJob | None, calls: Calls, now: int) -> bool:
        """Take in the calls that are in hand; False if none is."""
        if live is None:
            return False
        keys = [record[:2] for record in calls.records]
        if not all(map(live.in_hand.__contains__, keys)):
            calls = calls._replace(records=[r for r in calls.records if r[:2] in live.in_hand])
            keys = [record[:2] for record in calls.records]
        if not keys:
            return False
        batch = self._batch(live, now)
        if batch.started:
            for key in keys:
                batch.started.pop(key, None)
        live.finish_attempts(keys, sum(map(_DURATION, calls.records)))
        if calls.failed:
            failed = [record for record in calls.records if type(record[9]) is tuple]
            batch.finished += [finished_call(calls, Record._make(record)) for record in failed]
            calls = calls._replace(records=[r for r in calls.records if type(r[9]) is not tuple], failed=0)
        if calls.records:
            batch.calls.append(calls)
        self.count += 1 + len(keys) // CALLS_FOR_ONE
        return True

    def _batch(self, live: LiveJob, now: int) -> Batch:
        if self._oldest is None:
            self._oldest = now
        batch = self.batches.get(live.id)
        if batch is None:
            batch = self.batches[live.id] = Batch()
        return batch

    def _sort_in(self, live: LiveJob, event: Started | Finished | Returned | Lost, now: int) -> None:
        batch = self._batch(live, now)
        key = (event.item, event.attempt)
        if isinstance(event, Started):
            batch.started[key] = event
            return
        batch.started.pop(key, None)
        live.finish_attempt(key, event.duration_us if isinstance(event, Finished) else 0.0)
        self.count += 1
        if isinstance(event, Finished):
            batch.finished.append(event)
        elif isinstance(event, Returned):
            batch.returned.append(event)
        else:
            batch.finished.append(lost_as_finished(self._database, event, now))

    def due_at(self) -> int | None:
        """The time when the oldest outcome has waited long enough; None if there is no outcome.

        If the last commit was long ago, that is at once.
        """
        if self._oldest is None:
            return None
        return max(self._oldest, min(self._oldest, self._committed_at) + GROUP_COMMIT_US)

    def is_due(self, now: int) -> bool:
        """True if it is time to commit. A clock that was set back delays nothing."""
        due_at = self.due_at()
        if due_at is None or self._oldest is None:
            return False
        return now >= due_at or self.count >= GROUP_COMMIT_MAX or now < self._oldest

    def is_repaired(self, job: int) -> bool:
        """True if the outcomes of a job were repaired since the last commit."""
        return job in self._repaired

    def repair(self, job: int, error: BaseException | None) -> None:
        """Settling the outcomes of a job raised ``error``: replace them by outcomes that can be settled."""
        assert isinstance(error, Exception)
        self._repaired.add(job)
        self.batches[job] = self._repair.repair(job, self.batches[job], error)

    def shift(self, by: int) -> None:
        """The wall clock was set by this many microseconds."""
        self._committed_at += by
        self._oldest = None if self._oldest is None else self._oldest + by

    def clear(self, now: int) -> None:
        """Forget everything after a commit."""
        self._committed_at = now
        self.batches.clear()
        self.count = 0
        self._oldest = None
        self._calls.clear()
        self._repaired.clear()

    def settled(self) -> Receipts:
        """The outcomes that the executor may forget after the commit."""
        ended = [AttemptId(f.job, f.item, f.attempt) for batch in self.batches.values() for f in batch.finished]
        return Receipts(ended, list(self._calls))

    def ended(self, job: int) -> set[tuple[int, int]]:
        """Attempts of a job that ended and are not committed."""
        batch = self.batches.get(job)
        if batch is None:
            return set()
        ended = {(f.item, f.attempt) for f in batch.finished} | {(r.item, r.attempt) for r in batch.returned}
        return ended.union(record[:2] for calls in batch.calls for record in calls.records)


def _bar(barred: Barred, live_jobs: LiveJobs) -> None:
    """Note attempts that are in hand but take no slot, so that others may run in their place."""
    for attempt in barred.attempts:
        live = live_jobs.get(attempt.job)
        key = (attempt.item, attempt.attempt)
        if live is not None and key in live.in_hand:
            live.barred.add(key)
            live_jobs.touch(live)
