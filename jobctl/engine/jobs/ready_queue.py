"""Which live jobs need a look, when the next one will, and in which order they are served.

A store may hold thousands of live jobs of which few are worked on, so nothing is done for each of them in every round.
Whoever changes a job touches it; what is known here about the others stays true until a moment that they have named.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from jobctl.domain.crew import Amounts
from jobctl.engine.jobs.limits import Limits
from jobctl.engine.jobs.live_job import LiveJob

#: Who is served first: the higher priority, then who has used least, then the older job.
Key = tuple[int, float, int]


class _Place(NamedTuple):
    """What was found out about a job when it was looked at last."""

    queue: str = ""
    in_hand: int = 0
    needs: Amounts = ()
    key: Key | None = None  # it could start something
    at: int | None = None  # when it is to be looked at again
    rests: bool = True  # nothing of it runs and nothing could


_UNKNOWN = _Place()


class ReadyQueue:
    """The order of the live jobs. ``in_hand`` and ``in_queue`` count attempts in the executor's hands."""

    def __init__(self, limits: Limits, serves: Callable[[LiveJob], bool]) -> None:
        #: Jobs touched since ``done``: whether a rule stops them, what their state is, whether their round is over.
        self.changed: dict[int, LiveJob] = {}
        self.in_hand = 0
        self.in_queue: Counter[str] = Counter()
        self.in_need: Counter[str] = Counter()  # by name, what those attempts need besides slots
        self._limits = limits
        self._serves = serves
        self._stale: dict[int, LiveJob] = {}
        self._known: dict[int, LiveJob] = {}
        self._places: dict[int, _Place] = {}
        self._order: list[Key] = []
        self._moments: list[tuple[int, int]] = []

    def touch(self, live: LiveJob) -> None:
        """Something about the job has changed."""
        self.changed[live.id] = self._stale[live.id] = self._known[live.id] = live

    def leave(self, job: int) -> None:
        """It is no live job any more."""
        self._move(job, _UNKNOWN)
        for jobs in (self.changed, self._stale, self._known, self._places):
            jobs.pop(job, None)

    def done(self, keep: Callable[[LiveJob], bool]) -> None:
        """Whatever follows from the changes was done, but for those to keep."""
        self.changed = {job: live for job, live in self.changed.items() if keep(live)}

    def look(self, capacity: int, now: int) -> None:
        """Look at what was touched and at those whose moment has come."""
        while self._moments and self._moments[0][0] <= now:
            _, job = self._moments.pop(0)
            self._places[job] = self._places[job]._replace(at=None)
            self.touch(self._known[job])
        for live in self._stale.values():
            self._look_at(live, capacity, now)
        self._stale.clear()

    def _look_at(self, live: LiveJob, capacity: int, now: int) -> None:
        ready = live.has_ready(now) and live.is_open(now) and self._limits.is_open(live)
        rests = not ready and not live.taken
        if self._places.get(live.id, _UNKNOWN).rests:
            live.pace.rest(now)
        served = ready and self._serves(live) and live.wants(capacity) > 0 and self._limits.allowed(live, now) != 0
        key = (-live.row.priority, live.used_us, live.id) if served else None
        at = min((at for at in self._times(live, now) if at is not None and at > now), default=None)
        self._move(live.id, _Place(live.row.queue, live.taken, live.needs, key, at, rests))

    def _times(self, live: LiveJob, now: int) -> Iterator[int | None]:
        """When something about a job will be due. What is due already and stays waits for an event."""
        yield live.row.deadline_at if live.row.stop is None else None
        yield live.row.not_before_at
        yield live.close_at if live.is_over else None
        if live.is_open(now):
            yield live.next_due
            yield self._limits.next_at(live) if live.has_ready(now) else None

    def _move(self, job: int, new: _Place) -> None:
        old = self._places.get(job, _UNKNOWN)
        self._places[job] = new
        self.in_hand += new.in_hand - old.in_hand
        self.in_queue[old.queue] -= old.in_hand
        self.in_queue[new.queue] += new.in_hand
        if old.needs or new.needs:
            self._need(old, -1)
            self._need(new, 1)
        if old.key != new.key:
            if old.key is not None:
                del self._order[bisect_left(self._order, old.key)]
            if new.key is not None:
                insort(self._order, new.key)
        if old.at != new.at:
            if old.at is not None:
                del self._moments[bisect_left(self._moments, (old.at, job))]
            if new.at is not None:
                insort(self._moments, (new.at, job))

    def _need(self, place: _Place, sign: int) -> None:
        for name, amount in place.needs:
            self.in_need[name] += sign * amount * place.in_hand  # type: ignore[assignment]

    def in_order(self) -> Iterable[LiveJob]:
        """Those that could start something, as they are to be served. Room in a queue is for the caller to see."""
        return (self._known[key[2]] for key in self._order)

    def unwritten(self) -> str:
        """Why the result files of a job that is over cannot be written; empty if there is none."""
        return next((live.unwritten for live in self.changed.values() if live.is_over and live.unwritten), "")

    def next_at(self) -> int | None:
        """When a job is to be looked at although nobody touches it."""
        return self._moments[0][0] if self._moments else None
