"""Chooses the attempt that starts next: jobs take turns, within the slots of job, queue and daemon."""

from __future__ import annotations

from collections import deque

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from typing import Any

#: (job, item, attempt, argv, env, limit): a domain.ports.Dispatch, or its fields as they come over the wire.
Dispatch = tuple[int, int, int, tuple[bytes, ...], tuple[bytes, ...], int]


def _record_nothing(_job: int, _item: int, _attempt: int) -> None:
    """Record nothing."""


class QueueSlots:
    """The slots that the jobs of a queue share."""

    __slots__ = ("limit", "parked", "running")

    def __init__(self) -> None:
        self.limit: int | None = None
        self.running = 0
        self.parked: deque[JobLine] = deque()

    @property
    def full(self) -> bool:
        return self.limit is not None and self.running >= self.limit


class JobLine:
    """The waiting attempts of one job, and the number of those that run."""

    __slots__ = ("busy", "extra", "free", "held", "in_turn", "job", "lane", "next_slot", "slots", "step", "waiting")

    def __init__(self, job: int, lane: QueueSlots, part: tuple[int, int]) -> None:
        self.job = job
        self.lane = lane
        self.slots = 1
        self.busy = 0
        self.waiting: deque[Dispatch] = deque()
        self.free: list[int] = []  # slot numbers below next_slot that were given back
        self.next_slot, self.step = part[0] + 1, part[1]
        self.in_turn = False
        self.held = False  # must not start any attempt for the moment
        self.extra: Any = None  # an object of the owner of the backlog

    def take_slot(self) -> int:
        """The lowest free slot number."""
        if self.free:
            slot = min(self.free)
            self.free.remove(slot)
            return slot
        self.next_slot += self.step
        return self.next_slot - self.step


class Backlog:
    """Attempts that wait for a slot. ``next_line`` finds whose turn it is in constant time for any number of jobs.

    ``part`` is (number, count) of the supervisors that share the slots of jobs: each has slot numbers of its own.
    ``capacity``, ``running`` and ``waiting`` count attempts of all jobs together.
    """

    def __init__(self, part: tuple[int, int] = (0, 1)) -> None:
        self._part = part
        self.capacity = 1
        self.running = 0
        self.waiting = 0
        self.lines: dict[int, JobLine] = {}
        self.note: Callable[[int, int, int], None] = _record_nothing  # records an attempt before it can start
        self._lanes: dict[str, QueueSlots] = {}
        self._turn: deque[JobLine] = deque()

    def define(self, job: int, slots: int, queue: str, queue_slots: int | None) -> JobLine:
        """Add a job or change its limits."""
        lane = self._lanes.setdefault(queue, QueueSlots())
        lane.limit = queue_slots
        line = self.lines.get(job)
        if line is None:
            line = self.lines[job] = JobLine(job, lane, self._part)
        elif line.lane is not lane:
            line.lane.running -= line.busy
            lane.running += line.busy
            self._unpark(line.lane)
            line.lane = lane
        line.slots = slots
        self._unpark(lane)
        self._enter(line)
        return line

    def forget(self, job: int) -> JobLine | None:
        """Drop a job without waiting or running attempts; None if the job does not exist or is not idle."""
        line = self.lines.get(job)
        if line is None or line.busy or line.waiting:
            return None
        return self.lines.pop(job)

    def add(self, dispatch: Dispatch) -> None:
        """Queue an attempt of a defined job. Raises KeyError for an unknown one."""
        line = self.lines[dispatch[0]]
        line.waiting.append(dispatch)
        self.waiting += 1
        if not line.in_turn:
            self._enter(line)

    def next_line(self) -> JobLine | None:
        """The job that may start an attempt now, or None. ``take`` or ``hold`` must follow."""
        if self.running >= self.capacity:
            return None
        while self._turn:
            line = self._turn[0]
            if not line.waiting or line.busy >= line.slots or line.held:
                self._turn.popleft()
                line.in_turn = False
            elif line.lane.full:
                self._turn.popleft()
                line.lane.parked.append(line)
            else:
                return line
        return None

    def take(self, line: JobLine) -> tuple[Dispatch, int]:
        """Move the first waiting attempt of the line whose turn it is into a slot."""
        dispatch = line.waiting.popleft()
        self.note(*dispatch[:3])
        self.waiting -= 1
        line.busy += 1
        line.lane.running += 1
        self.running += 1
        self._turn.rotate(-1)
        return dispatch, line.take_slot()

    def take_more(self, line: JobLine, count: int) -> list[Dispatch]:
        """Move up to ``count`` further attempts into the slot that was taken for the one before them."""
        waiting = line.waiting
        more = [waiting.popleft() for _ in range(min(count, len(waiting)))]
        for dispatch in more:
            self.note(*dispatch[:3])
        self.waiting -= len(more)
        return more

    def return_unstarted(self, line: JobLine, dispatches: list[Dispatch]) -> None:
        """Undo ``take_more`` for the last attempts: they are first in line again."""
        line.waiting.extendleft(reversed(dispatches))
        self.waiting += len(dispatches)
        if not line.in_turn:
            self._enter(line)

    def occupy(self, line: JobLine, slot: int, *, joined: bool = False) -> bool:
        """Give this slot to an attempt that was found running; False if another attempt has the slot.

        ``joined``: the attempt runs in the pack of another job and takes nothing from the capacity; see ``take_after``.
        """
        while line.next_slot <= slot:
            line.free.append(line.next_slot)
            line.next_slot += 1
        if slot not in line.free:
            return False
        line.free.remove(slot)
        line.busy += 1
        line.lane.running += 1
        self.running += not joined
        return True

    def take_after(self, taken: dict[int, int], apart: Container[int] = ()) -> tuple[JobLine, Dispatch] | None:
        """Another attempt for a pack, which runs its attempts one after the other; jobs take turns in it too.

        ``taken`` has the slot of each job in the pack. A job that joins takes a slot within its own limits and those
        of its queue, but not out of the capacity; give it back with ``release(..., joined=True)``. Jobs in ``apart``
        do not join.
        """
        for _ in range(len(self._turn)):
            line = self._turn[0]
            self._turn.rotate(-1)
            if not line.waiting or line.held or line.job in apart:
                continue
            if line.job not in taken:
                if line.busy >= line.slots or line.lane.full:
                    continue
                line.busy += 1
                line.lane.running += 1
                taken[line.job] = line.take_slot()
            dispatch = line.waiting.popleft()
            self.waiting -= 1
            return line, dispatch
        return None

    def put_back(self, line: JobLine, dispatch: Dispatch, slot: int) -> None:
        """Undo a ``take``: the attempt is first in line again."""
        line.waiting.appendleft(dispatch)
        self.waiting += 1
        self.release(line, slot)

    def release(self, line: JobLine, slot: int, *, joined: bool = False) -> None:
        """Free a slot."""
        line.free.append(slot)
        line.busy -= 1
        line.lane.running -= 1
        self.running -= not joined
        if line.lane.parked:
            self._unpark(line.lane)
        if line.waiting and not line.in_turn:
            self._enter(line)

    def hold(self, line: JobLine, held: bool) -> None:
        """Keep a job from starting attempts, or allow it again."""
        line.held = held
        if not held:
            self._enter(line)

    def recall(self, job: int | None) -> list[Dispatch]:
        """Remove all waiting attempts, of one job or of all, and return them."""
        if job is None:
            lines = list(self.lines.values())
        else:
            lines = [self.lines[job]] if job in self.lines else []
        waiting = [dispatch for line in lines for dispatch in line.waiting]
        for line in lines:
            line.waiting.clear()
        self.waiting -= len(waiting)
        return waiting

    def withdraw(self, wanted: set[tuple[int, int, int]]) -> list[Dispatch]:
        """Remove those of these attempts that wait, and return them."""
        found: list[Dispatch] = []
        for job in {job for job, _, _ in wanted}:
            line = self.lines.get(job)
            if line is None or not line.waiting:
                continue
            found += [dispatch for dispatch in line.waiting if dispatch[:3] in wanted]
            line.waiting = deque(dispatch for dispatch in line.waiting if dispatch[:3] not in wanted)
        self.waiting -= len(found)
        return found

    def _enter(self, line: JobLine) -> None:
        if not line.in_turn and line.waiting and line.busy < line.slots and not line.held:
            line.in_turn = True
            self._turn.append(line)

    def _unpark(self, lane: QueueSlots) -> None:
        while lane.parked:
            self._turn.append(lane.parked.popleft())
