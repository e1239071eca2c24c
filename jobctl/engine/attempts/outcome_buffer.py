"""Outcomes on their way from the executor to the database: kept per job until a commit holds them."""

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
from jobctl.engine.attempts.repair import OutcomeRepair
from jobctl.engine.attempts.settling import Batch, lost_as_finished
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.engine.jobs.live_jobs import LiveJobs
from jobctl.store.database import Database

#: A commit follows another one no sooner; outcomes wait at most so long. The supervisor has held them back before, for
#: company (``supervisor.engine_process.COALESCE_S``): together no more than 100 ms.
GROUP_COMMIT_US = 40_000
GROUP_COMMIT_MAX = 1_000
_DURATION = itemgetter(Record._fields.index("duration_us"))
#: So many calls in one event are no more than one outcome that is told alone.
CALLS_FOR_ONE = 16


class Receipts(NamedTuple):
    """What the executor may forget: attempts, and ``Calls`` by number."""

    attempts: list[AttemptId]
    calls: list[int]


class OutcomeBuffer:
    """What was collected and not yet committed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.batches: dict[int, Batch] = {}
        self.pressure = ""
        self.capacity: Capacity | None = None  # as last told by the executor
        self.outcomes = 0
        self._oldest: int | None = None
        self._committed_at = 0
        self._calls: list[int] = []  # numbers of the Calls in here
        self._repair = OutcomeRepair()
        self._rebuilt: set[int] = set()  # jobs whose outcomes in here could not be settled as they came

    def take(self, events: Iterable[Event], live_jobs: LiveJobs, now: int) -> Receipts:
        """Sort events in; returns those that concern nothing we have in hand, to be acknowledged as they are."""
        strangers = Receipts([], [])
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
                (self._calls if self._take_calls(live, event, now) else strangers.calls).append(event.number)
                continue
            if live is None or (event.item, event.attempt) not in live.in_hand:
                strangers.attempts.append(AttemptId(event.job, event.item, event.attempt))
                continue
            self._sort_in(live, event, now)
        return strangers

    def _take_calls(self, live: LiveJob | None, calls: Calls, now: int) -> bool:
        """Take in those that are in hand; whether there were any."""
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
        live.let_go_all(keys, sum(map(_DURATION, calls.records)))
        if calls.failed:
            failed = [record for record in calls.records if type(record[9]) is tuple]
            batch.finished += [finished_call(calls, Record._make(record)) for record in failed]
            calls = calls._replace(records=[r for r in calls.records if type(r[9]) is not tuple], failed=0)
        if calls.records:
            batch.calls.append(calls)
        self.outcomes += 1 + len(keys) // CALLS_FOR_ONE
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
        live.let_go(key, event.duration_us if isinstance(event, Finished) else 0.0)
        self.outcomes += 1
        if isinstance(event, Finished):
            batch.finished.append(event)
        elif isinstance(event, Returned):
            batch.returned.append(event)
        else:
            batch.finished.append(lost_as_finished(self._database, event, now))

    def due_at(self) -> int | None:
        """When the oldest outcome has waited long enough; None when there is nothing.

        That is at once when the last commit was long ago.
        """
        if self._oldest is None:
            return None
        return max(self._oldest, min(self._oldest, self._committed_at) + GROUP_COMMIT_US)

    def is_due(self, now: int) -> bool:
        """Whether it is time to commit; a clock that went backwards does not hold anything up."""
        due_at = self.due_at()
        if due_at is None or self._oldest is None:
            return False
        return now >= due_at or self.outcomes >= GROUP_COMMIT_MAX or now < self._oldest

    def is_rebuilt(self, job: int) -> bool:
        """Whether the outcomes of a job were rebuilt since the last commit."""
        return job in self._rebuilt

    def rebuild(self, job: int, error: BaseException | None) -> None:
        """Outcomes of a job cannot be settled as they came; make them such as can be."""
        assert isinstance(error, Exception)
        self._rebuilt.add(job)
        self.batches[job] = self._repair.rebuild(job, self.batches[job], error)

    def shift(self, by: int) -> None:
        """The wall clock was set by this many microseconds."""
        self._committed_at += by
        self._oldest = None if self._oldest is None else self._oldest + by

    def clear(self, now: int) -> None:
        """A commit holds everything."""
        self._committed_at = now
        self.batches.clear()
        self.outcomes = 0
        self._oldest = None
        self._calls.clear()
        self._rebuilt.clear()

    def settled(self) -> Receipts:
        """What has ended and is in here."""
        ended = [AttemptId(f.job, f.item, f.attempt) for batch in self.batches.values() for f in batch.finished]
        return Receipts(ended, list(self._calls))

    def ended(self, job: int) -> set[tuple[int, int]]:
        """Attempts of a job whose end is in here."""
        batch = self.batches.get(job)
        if batch is None:
            return set()
        ended = {(f.item, f.attempt) for f in batch.finished} | {(r.item, r.attempt) for r in batch.returned}
        return ended.union(record[:2] for calls in batch.calls for record in calls.records)


def _bar(barred: Barred, live_jobs: LiveJobs) -> None:
    """They are in hand, but others may run in their place."""
    for attempt in barred.attempts:
        live = live_jobs.get(attempt.job)
        key = (attempt.item, attempt.attempt)
        if live is not None and key in live.in_hand:
            live.barred.add(key)
            live_jobs.touch(live)
