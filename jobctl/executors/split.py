"""Several supervisors as one executor, for machines on which one supervisor cannot start processes fast enough.

The first is the engine's own. The others are its guests and end with it; their items then count as interrupted,
which is a drawback of this setting. All slots are divided, including those of each job and queue: part i of n has the
slot numbers and files that leave the remainder i when divided by n.
"""

from __future__ import annotations

import os
import selectors
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from jobctl.domain.endings import Ending
from jobctl.domain.ports import (
    AttemptId,
    Calls,
    Dispatch,
    Event,
    Finished,
    JobSpec,
    Lost,
    Pressure,
    Returned,
)
from jobctl.executors.local import LocalExecutor
from jobctl.process.sweep import sweep
from jobctl.supervisor.guest import GuestSupervisor, start_guest


class SpawnerGone(Exception):
    """A guest has ended; the next engine starts another and runs the attempts of this one again."""


def split(local: LocalExecutor, spawners: int, store_id: str) -> SplitExecutor:
    """An executor of ``spawners`` supervisors. Ends the processes of guests of earlier engines. Raises OSError."""
    os.environ["JOBCTL_STARTS"] = ""  # guests record no starts: every attempt that they held may have begun
    sweep(store_id)
    guests = [start_guest(store_id, (number, spawners)) for number in range(1, spawners)]
    return SplitExecutor([local, *(LocalExecutor(guest.end, fresh=True) for guest in guests)], guests)


class SplitExecutor:
    """Gives each attempt to the part that has the least work for the slots that it may use for the job."""

    def __init__(self, parts: Sequence[LocalExecutor], guests: Sequence[GuestSupervisor]) -> None:
        self.guests = guests
        self.identity = uuid.uuid4().hex  # no later engine knows which attempts the guests held
        self._parts = parts
        self._capacity = [1] * len(parts)
        self._specs: dict[int, JobSpec] = {}
        self._defined: list[set[int]] = [set() for _ in parts]
        self._where: dict[AttemptId, tuple[int, Dispatch | None]] = {}  # part of each attempt that is queued or runs
        self._moving: set[AttemptId] = set()  # those of them that are recalled because rooms have changed
        self._ended_in: dict[AttemptId, int] = {}  # part of each attempt that has ended and is not acknowledged
        self._load: list[Counter[int]] = [Counter() for _ in parts]  # by job
        self._pressure = [""] * len(parts)
        self._stop = 0
        self._selector = selectors.DefaultSelector()
        for part in parts:
            self._selector.register(part.fileno(), selectors.EVENT_READ)

    def fileno(self) -> int:
        """Readable when ``collect(0)`` has something to do."""
        return self._selector.fileno()

    def share(self, slots: int, number: int) -> int:
        """The number of slots from 1 to ``slots`` that belong to a part."""
        return max(0, (slots - number + len(self._parts) - 1) // len(self._parts))

    def _room(self, spec: JobSpec, number: int) -> int:
        """The number of attempts that a part can run. Only the first lends devices, so none is lent twice."""
        if spec.gpus and number:
            return 0
        room = min(self.share(spec.slots, number), self._capacity[number])
        return room if spec.queue_slots is None else min(room, self.share(spec.queue_slots, number))

    def define(self, spec: JobSpec) -> None:
        """Describe a job, or change its description."""
        before = self._specs.get(spec.job)
        self._specs[spec.job] = spec
        for number, part in enumerate(self._parts):
            room = self._room(spec, number)
            if not room and spec.job not in self._defined[number]:
                continue
            self._defined[number].add(spec.job)
            queue_slots = None if spec.queue_slots is None else self.share(spec.queue_slots, number)
            part.define(replace(spec, slots=self.share(spec.slots, number), queue_slots=queue_slots))
        if before is not None and (before.slots, before.queue_slots) != (spec.slots, spec.queue_slots):
            self._rearrange(spec.job)

    def _rearrange(self, job: int | None) -> None:
        """Rooms have changed: recall the waiting attempts and place them again."""
        waiting = {id_ for id_, (_, dispatch) in self._where.items() if dispatch and job in (None, id_.job)}
        if waiting:
            self._moving |= waiting
            self._for_each(lambda part: part.recall(job))

    def forget(self, job: int) -> None:
        """Drop everything that is kept for a job."""
        self._specs.pop(job, None)
        for defined, part in zip(self._defined, self._parts, strict=True):
            if job in defined:
                defined.remove(job)
                part.forget(job)

    def resize(self, slots: int) -> None:
        """Set how many attempts may run at once."""
        self._capacity = [self.share(slots, number) for number in range(len(self._parts))]
        for part, capacity in zip(self._parts, self._capacity, strict=True):
            part.resize(capacity)
        for spec in list(self._specs.values()):
            self.define(spec)
        self._rearrange(None)

    def start(self, batch: Sequence[Dispatch]) -> None:
        """Hand attempts to the parts."""
        portions: list[list[Dispatch]] = [[] for _ in self._parts]
        for dispatch in batch:
            number = self._place_for(self._specs[dispatch.job])
            portions[number].append(dispatch)
            self._take(AttemptId(*dispatch[:3]), number, dispatch)
        for part, portion in zip(self._parts, portions, strict=True):
            if portion:
                part.start(portion)

    def _place_for(self, spec: JobSpec) -> int:
        rooms = [self._room(spec, number) for number in range(len(self._parts))]
        able = [number for number, room in enumerate(rooms) if room] or [0]
        return min(able, key=lambda n: (self._load[n][spec.job] / max(1, rooms[n]), self._load[n].total()))

    def _take(self, id_: AttemptId, number: int, dispatch: Dispatch | None) -> None:
        self._where[id_] = number, dispatch
        self._load[number][id_.job] += 1

    def collect(self, timeout_s: float | None = 0) -> list[Event]:
        """Events since the last call. Raises EOFError when the engine's supervisor is gone, SpawnerGone for a guest."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            before, events = self._stop, self._collect()
            left = None if deadline is None else deadline - time.monotonic()
            if events or self._stop != before or (left is not None and left <= 0):
                return events
            self._selector.select(left)

    def _collect(self) -> list[Event]:
        events: list[Event] = []
        gone: list[int] = []
        for number, part in enumerate(self._parts):
            try:
                collected = part.collect(0)
            except EOFError:
                gone.append(number)
                continue
            events += [seen for event in collected if (seen := self._note(event, number)) is not None]
        self._stop = self._parts[0].stop_requested()
        if gone and not events:  # the events of the other parts come first
            if 0 in gone:
                raise EOFError("the supervisor is gone")
            raise SpawnerGone(f"spawner {gone[0] + 1} of {len(self._parts)} has ended")
        return events

    def _note(self, event: Event, number: int) -> Event | None:
        """The event of a part as the engine must see it; None for an attempt that only moves to another part."""
        if isinstance(event, Pressure):
            self._pressure[number] = event.reason
            return Pressure("; ".join(sorted({reason for reason in self._pressure if reason})))
        if isinstance(event, Calls):
            for record in event.records:
                self._remove(AttemptId(event.job, *record[:2]))
            return event._replace(number=event.number * len(self._parts) + number)
        if isinstance(event, Finished | Returned | Lost):
            id_ = AttemptId(*event[:3])
            dispatch = self._remove(id_)
            if isinstance(event, Returned) and id_ in self._moving and dispatch is not None:
                self._moving.remove(id_)
                self.start([dispatch])
                return None
            self._moving.discard(id_)
            if isinstance(event, Finished):
                self._ended_in[id_] = number
        return event

    def _remove(self, id_: AttemptId) -> Dispatch | None:
        number, dispatch = self._where.pop(id_, (None, None))
        if number is not None:
            self._load[number][id_.job] -= 1
            if not self._load[number][id_.job]:
                del self._load[number][id_.job]
        return dispatch

    def acknowledge(self, attempts: Sequence[AttemptId], calls: Sequence[int] = ()) -> None:
        """The outcomes of these attempts, and the ``Calls`` with these numbers, are recorded."""
        count = len(self._parts)
        found = [(id_, self._ended_in.pop(AttemptId(*id_), None)) for id_ in attempts]
        for number, part in enumerate(self._parts):
            ours = [id_ for id_, where in found if where in (number, None)]
            numbers = [call // count for call in calls if call % count == number]
            if ours or numbers:
                part.acknowledge(ours, numbers)

    def recall(self, job: int | None = None) -> None:
        """Give back attempts that have not started."""
        self._moving = {id_ for id_ in self._moving if job not in (None, id_.job)}
        self._for_each(lambda part: part.recall(job))

    def cancel(self, attempts: Sequence[AttemptId], grace_s: float, ending: Ending = Ending.CANCELLED) -> None:
        """End these attempts."""
        self._moving.difference_update(AttemptId(*id_) for id_ in attempts)
        self._for_each(lambda part: part.cancel(attempts, grace_s, ending))

    def follow(self, job: int, item: int | None) -> None:
        """Do nothing: the output of items is on this machine."""

    def adopt(self) -> list[AttemptId]:
        """The attempts that the supervisors hold from earlier engines."""
        held = [(number, part.adopt()) for number, part in enumerate(self._parts)]
        for number, attempts in held:
            for id_ in attempts:
                self._take(id_, number, None)
        return [id_ for _, attempts in held for id_ in attempts]

    def stop_requested(self) -> int:
        """0 = continue, 1 = stop politely, 2 = stop now."""
        return self._stop

    def close(self, grace_s: float) -> None:
        """End everything that runs and wait for it."""
        self._moving.clear()
        self._for_each(lambda part: part.close(grace_s))

    def _for_each(self, act: Callable[[LocalExecutor], None]) -> None:
        for part in self._parts:
            act(part)
