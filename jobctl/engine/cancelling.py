"""Cancels the items of a set, of any size, in steps that are too short to keep other commands from writing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from jobctl.domain.ports import AttemptId, Executor
from jobctl.engine.attempts.settling import Settler
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.engine.jobs.live_jobs import LiveJobs
from jobctl.store import cancelled
from jobctl.store.database import Database
from jobctl.store.requests import Request

#: The items of a set that one transaction looks at.
CHUNK = 20_000
#: Longer numbers do not fit into a database.
_DIGITS = 18


@dataclass(frozen=True, slots=True)
class _Progress:
    """How far the cancel of one set has come."""

    after: int = 0  # the items up to this number were taken out of the queue
    is_swept: bool = False  # all were
    held: frozenset[int] = frozenset()  # items of the set whose attempts are in hand
    sent: frozenset[AttemptId] = frozenset()  # attempts that the executor was asked to end


class ItemSets:
    """Obeys the requests to cancel sets of items: in the engine's transaction, and after its commit."""

    def __init__(self, database: Database, live_jobs: LiveJobs) -> None:
        self._database = database
        self._live_jobs = live_jobs
        self._progress: dict[int, _Progress] = {}  # by number of the request, as committed
        self._written: dict[int, _Progress] = {}
        self._to_end: list[tuple[AttemptId, float]] = []  # attempts, each with its grace in seconds

    def begin(self) -> None:
        """Forget what a transaction that failed has written. Call it first in each transaction."""
        self._written.clear()
        self._to_end.clear()

    def obey(self, number: int, request: Request, live: LiveJob, epoch: int, now: int) -> bool:
        """Carry on with one request; True if nothing is left to do about it."""
        text = str(request.reason)
        if not (text.isdecimal() and len(text) <= _DIGITS):  # a damaged row
            return True
        batch = int(text)
        progress = self._progress.get(number, _Progress())
        if not progress.is_swept:
            progress = self._sweep(progress, batch, live, (epoch, now))
        in_hand = {item: AttemptId(live.id, item, attempt) for item, attempt in live.in_hand}
        held = frozenset(cancelled.among(self._database, live.id, batch, list(in_hand)) if in_hand else ())
        # What has come back unchanged, or failed and would have another attempt, is taken out of the queue.
        for item in progress.held - held:
            self._live_jobs.count(live, Settler(self._database, epoch, live, now).drop(item, item), now)
        self._end([in_hand[item] for item in held], progress, live, request)
        sent = frozenset(in_hand[item] for item in held)
        self._written[number] = replace(progress, held=held, sent=sent)
        (live.sweeps.discard if progress.is_swept else live.sweeps.add)(number)
        self._live_jobs.touch(live)
        return progress.is_swept and not held

    def _sweep(self, progress: _Progress, batch: int, live: LiveJob, moment: tuple[int, int]) -> _Progress:
        """Take the next items of the set that wait out of the queue."""
        epoch, now = moment
        last = cancelled.last_of_page(self._database, live.id, batch, progress.after, CHUNK)
        if last is None:
            return replace(progress, is_swept=True)
        deltas = Settler(self._database, epoch, live, now).drop(progress.after + 1, last, batch)
        self._live_jobs.count(live, deltas, now)
        return replace(progress, after=last)

    def _end(self, attempts: Collection[AttemptId], progress: _Progress, live: LiveJob, request: Request) -> None:
        grace_s = 0.0 if request.now else live.row.policy.grace_s
        self._to_end += [(attempt, grace_s) for attempt in attempts if attempt not in progress.sent]

    def send(self, executor: Executor, waiting: Collection[int]) -> None:
        """End the attempts that must end; ``waiting`` are the numbers of all requests. Call it after the commit."""
        for grace_s in dict.fromkeys(grace_s for _, grace_s in self._to_end):
            executor.cancel([attempt for attempt, grace in self._to_end if grace == grace_s], grace_s)
        self._to_end.clear()
        self._progress.update(self._written)
        self._written.clear()
        for number in self._progress.keys() - set(waiting):
            del self._progress[number]
