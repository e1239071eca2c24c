"""Tells which live jobs the engine must look at, when it must look again, and in which order they may start items.

A store may have thousands of live jobs that seldom change, so no round of the engine looks at all of them. The code
that changes a job touches it. The findings about every other job stay true until a moment that is known, too.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, zip_longest
from typing import NamedTuple

from jobctl.domain.cluster_workers import Amounts
from jobctl.engine.jobs.limits import Limits
from jobctl.engine.jobs.live_job import LiveJob

#: The order of jobs: the higher priority first, then the least slot time used, then the older job.
Key = tuple[int, float, int]
#: The jobs of one owner with one priority, which have one place in that order.
Group = tuple[int, str]


class _Entry(NamedTuple):
    """The findings of the last look at a job."""

    queue: str = ""
    in_hand: int = 0
    needs: Amounts = ()  # of each item, besides a slot
    key: Key | None = None  # its place in the order; None = it cannot start anything
    at: int | None = None  # when it must be looked at again
    rests: bool = True  # nothing of it runs, and nothing could start
    group: Group | None = None  # of its owner


_NOT_SEEN = _Entry()


class ReadyQueue:
    """The order of the live jobs. ``in_hand`` and ``in_queue`` count the attempts that the executor has."""

    def __init__(self, limits: Limits, serves: Callable[[LiveJob], bool]) -> None:
        #: The jobs touched since ``forget_changed``. For each, the engine applies the rules that stop it, computes its
        #: state, and closes its round if it is over.
        self.changed: dict[int, LiveJob] = {}
        self.in_hand = 0
        self.in_queue: Counter[str] = Counter()
        self.in_need: Counter[str] = Counter()  # the resources that those attempts need, by name
        self._limits = limits
        self._serves = serves
        self._stale: dict[int, LiveJob] = {}
        self._known: dict[int, LiveJob] = {}
        self._entries: dict[int, _Entry] = {}
        self._order: list[Key] = []
        self._owned: dict[Group, list[Key]] = {}  # the jobs of each group, by their own slot time
        self._heads: dict[Group, Key] = {}  # the place of each group in the order, with its first job
        self._moments: list[tuple[int, int]] = []

    def touch(self, live: LiveJob) -> None:
        """Note that something about the job has changed."""
        self.changed[live.id] = self._stale[live.id] = self._known[live.id] = live

    def remove(self, job: int) -> None:
        """Remove a job that is not live any more."""
        self._move(job, _NOT_SEEN)
        for jobs in (self.changed, self._stale, self._known, self._entries):
            jobs.pop(job, None)

    def forget_changed(self, keep: Callable[[LiveJob], bool]) -> None:
        """Forget the changed jobs, because the engine has acted on the changes, except for the jobs to ``keep``."""
        self.changed = {job: live for job, live in self.changed.items() if keep(live)}

    def look(self, capacity: int, now: int) -> None:
        """Look at the jobs that were touched and at those whose moment has come."""
        while self._moments and self._moments[0][0] <= now:
            _, job = self._moments.pop(0)
            self._entries[job] = self._entries[job]._replace(at=None)
            self.touch(self._known[job])
        for live in self._stale.values():
            self._look_at(live, capacity, now)
        self._stale.clear()

    def _look_at(self, live: LiveJob, capacity: int, now: int) -> None:
        ready = live.has_ready(now) and live.is_open(now) and self._limits.is_open(live)
        rests = not ready and not live.taken
        if self._entries.get(live.id, _NOT_SEEN).rests:
            live.pace.rest(now)
        served = ready and self._serves(live) and live.wants(capacity) > 0 and self._limits.allowed(live, now) != 0
        key = (-live.row.priority, live.used_us, live.id) if served else None
        at = min((at for at in self._times(live, now) if at is not None and at > now), default=None)
        self._move(live.id, _Entry(live.row.queue, live.taken, live.needs, key, at, rests, _group(live)))

    def _times(self, live: LiveJob, now: int) -> Iterator[int | None]:
        """The times when something about a job is due. Work that is overdue and cannot be done waits for an event."""
        yield live.row.deadline_at if live.row.stop is None else None
        yield live.row.not_before_at
        yield live.close_at if live.is_over else None
        if live.is_open(now):
            yield live.next_due
            yield self._limits.next_at(live) if live.has_ready(now) else None

    def _move(self, job: int, new: _Entry) -> None:
        old = self._entries.get(job, _NOT_SEEN)
        self._entries[job] = new
        self.in_hand += new.in_hand - old.in_hand
        self.in_queue[old.queue] -= old.in_hand
        self.in_queue[new.queue] += new.in_hand
        if old.needs or new.needs:
            self._need(old, -1)
            self._need(new, 1)
        if old.key != new.key:
            self._take_out(old)
            self._put_in(new)
        for group in dict.fromkeys((old.group, new.group)) if old.group or new.group else ():
            if group is not None:
                self._place(group)
        if old.at != new.at:
            if old.at is not None:
                del self._moments[bisect_left(self._moments, (old.at, job))]
            if new.at is not None:
                insort(self._moments, (new.at, job))

    def _take_out(self, entry: _Entry) -> None:
        if entry.key is not None:
            keys = self._order if entry.group is None else self._owned[entry.group]
            del keys[bisect_left(keys, entry.key)]

    def _put_in(self, entry: _Entry) -> None:
        if entry.key is not None:
            insort(self._order if entry.group is None else self._owned.setdefault(entry.group, []), entry.key)

    def _place(self, group: Group) -> None:
        """Put the first job of an owner to the place in the order that all of its jobs have earned together."""
        if group in self._heads:
            del self._order[bisect_left(self._order, self._heads.pop(group))]
        keys = self._owned.get(group)
        if not keys:
            self._owned.pop(group, None)
            return
        first = keys[0][2]
        head = self._heads[group] = (group[0], self._known[first].level_us, first)
        insort(self._order, head)

    def _need(self, entry: _Entry, sign: int) -> None:
        for name, amount in entry.needs:
            self.in_need[name] += sign * amount * entry.in_hand  # type: ignore[assignment]

    def in_order(self) -> Iterable[LiveJob]:
        """The jobs that could start items, the first one first. The caller must see whether their queues have slots.

        Of one priority, the first job of each owner comes before the second one of any.
        """
        if not self._owned:
            return (self._known[key[2]] for key in self._order)
        return self._in_turns()

    def _in_turns(self) -> Iterator[LiveJob]:
        for priority, keys in groupby(self._order, key=lambda key: key[0]):
            heads = [key[2] for key in keys]
            yield from (self._known[job] for job in heads)
            rest = [owned[1:] for (of, _), owned in self._owned.items() if of == priority]
            for turn in zip_longest(*rest):
                yield from (self._known[key[2]] for key in turn if key is not None)

    def unwritten(self) -> str:
        """The reason why the result files of a job that is over cannot be written; empty if all can."""
        return next((live.unwritten for live in self.changed.values() if live.is_over and live.unwritten), "")

    def next_at(self) -> int | None:
        """The time when a job must be looked at even if nothing touches it."""
        return self._moments[0][0] if self._moments else None


def _group(live: LiveJob) -> Group | None:
    owner = live.row.owner
    return None if owner is None else (-live.row.priority, owner)
