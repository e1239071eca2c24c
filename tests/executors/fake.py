"""FakeExecutor: the executor port in memory, with outcomes from a script; for tests of the engine.

Time does not pass in it. Each ``collect`` is one generation: what runs and is not held ends as its script says, and
what waits takes the slots that came free.
"""

from __future__ import annotations

import os
import select
import signal
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jobctl.domain.cluster_workers import ClusterWorkers, WorkersOffer
from jobctl.domain.endings import Ending
from jobctl.domain.ports import (
    AttemptId,
    Capacity,
    Dispatch,
    Event,
    Finished,
    JobSpec,
    Lost,
    OutputFlag,
    Pressure,
    Returned,
    Started,
)
from jobctl.supervisor.backlog import Backlog, JobLine


@dataclass(frozen=True, slots=True)
class Play:
    """The planned outcome of an attempt."""

    code: int = 0
    ending: Ending = Ending.EXITED
    duration_us: int = 1000
    out: bytes = b""
    err: bytes = b""
    hold: bool = False  # runs until ``FakeExecutor.finish`` or a cancel
    lost: bool = False  # the executor forgets it


Script = Callable[[Dispatch], Play]


class _Run:
    def __init__(self, dispatch: Dispatch, line: JobLine, slot: int, play: Play, started_at: int) -> None:
        self.dispatch = dispatch
        self.line = line
        self.slot = slot
        self.play = play
        self.started_at = started_at


class FakeExecutor:
    """Runs nothing, but keeps every promise of the port."""

    identity = ""

    def __init__(
        self, script: Script = lambda _: Play(), clock: Callable[[], int] = lambda: time.time_ns() // 1000
    ) -> None:
        self.fresh = True
        self.dispatched: list[Dispatch] = []  # everything ever handed over, in order
        self.specs: dict[int, JobSpec] = {}
        self._script = script
        self._clock = clock
        self._backlog = Backlog()
        self._runs: dict[AttemptId, _Run] = {}
        self._outcomes: dict[AttemptId, Finished | Lost] = {}
        self._events: list[Event] = []
        self._stop = 0
        self._dead = False
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        weakref.finalize(self, _close, self._reader, self._writer)

    # The port.

    def fileno(self) -> int:
        """Readable when ``collect(0)`` would return something."""
        return self._reader

    def define(self, spec: JobSpec) -> None:
        """Say or change what the attempts of a job share."""
        self.specs[spec.job] = spec
        self._backlog.define(spec.job, spec.slots, spec.queue, spec.queue_slots)

    def forget(self, job: int) -> None:
        """Drop what is kept for a job."""
        if self._backlog.forget(job) is not None:
            del self.specs[job]

    def resize(self, slots: int) -> None:
        """Set how many attempts may run at once."""
        self._backlog.capacity = slots
        self._ring()

    def start(self, batch: Sequence[Dispatch]) -> None:
        """Take attempts."""
        self.fresh = False
        for dispatch in batch:
            self.dispatched.append(dispatch)
            self._backlog.add(dispatch)
        self._ring()

    def collect(self, timeout_s: float | None = 0) -> list[Event]:
        """One generation of events."""
        if self._dead:
            raise EOFError("the executor is gone")
        if not self._is_due():
            bell = select.poll()
            bell.register(self._reader, select.POLLIN)
            bell.poll(None if timeout_s is None else timeout_s * 1000)
        self._quiet()
        self._end_what_is_not_held()
        self._fill()
        events, self._events = self._events, []
        if self._is_due():
            self._ring()
        return events

    def acknowledge(self, attempts: Sequence[AttemptId], calls: Sequence[int] = ()) -> None:
        """The outcomes of these are recorded; ``Calls`` it tells none."""
        for attempt in attempts:
            self._outcomes.pop(AttemptId._make(attempt), None)

    def recall(self, job: int | None = None) -> None:
        """Give back whatever has not started."""
        for dispatch in self._backlog.recall(job):
            self._tell(Returned(*dispatch[:3]))

    def cancel(self, attempts: Sequence[AttemptId], grace_s: float, ending: Ending = Ending.CANCELLED) -> None:
        """End these."""
        wanted = {tuple(attempt) for attempt in attempts}
        for dispatch in self._backlog.withdraw(wanted):  # type: ignore[arg-type]
            self._tell(Returned(*dispatch[:3]))
        number = signal.SIGTERM if grace_s > 0 else signal.SIGKILL
        for attempt in attempts:
            if attempt in self._runs:
                self.finish(attempt, Play(code=number, ending=ending))

    def follow(self, job: int, item: int | None) -> None:
        """Nothing is written anywhere."""

    def adopt(self) -> list[AttemptId]:
        """Return the attempts that it still has; events that an earlier engine did not take are reported again."""
        waiting = [AttemptId(*dispatch[:3]) for line in self._backlog.lines.values() for dispatch in line.waiting]
        held = [*waiting, *self._runs, *self._outcomes]
        self._events = [self._started(run) for run in self._runs.values()]
        self._events += self._outcomes.values()
        self._ring()
        return held

    def stop_requested(self) -> int:
        """The arguments with which ``stop`` was called."""
        return self._stop

    def close(self, grace_s: float) -> None:
        """End everything."""
        self.recall()
        self.cancel(list(self._runs), grace_s, Ending.INTERRUPTED)

    # The script's side.

    def finish(self, attempt: AttemptId, play: Play) -> None:
        """End an attempt that runs."""
        run = self._runs.pop(attempt)
        self._backlog.release(run.line, run.slot)
        outcome = self._outcomes[attempt] = Lost(*attempt) if play.lost else _finished(run, play)
        self._tell(outcome)

    @property
    def running(self) -> list[AttemptId]:
        """The running attempts."""
        return list(self._runs)

    def press(self, reason: str) -> None:
        """The machine has no room; an empty reason: it has again."""
        self._tell(Pressure(reason))

    def workers_seen(self, *offers: WorkersOffer) -> None:
        """These are the workers that there are now."""
        slots = sum(offer.workers * offer.slots for offer in offers)
        self._backlog.capacity = slots
        self._tell(Capacity(slots, cluster=ClusterWorkers("fake", offers)))

    def stop(self, level: int) -> None:
        """Ask the daemon to stop."""
        self._stop = level
        self._ring()

    def die(self) -> None:
        """The executor is gone for good."""
        self._dead = True
        self._ring()

    # Inside.

    def _fill(self) -> None:
        while (line := self._backlog.next_line()) is not None:
            fields, slot = self._backlog.take(line)
            dispatch = Dispatch._make(fields)
            run = _Run(dispatch, line, slot, self._script(dispatch), self._clock())
            self._runs[AttemptId(*dispatch[:3])] = run
            self._tell(self._started(run))

    def _end_what_is_not_held(self) -> None:
        for attempt, run in list(self._runs.items()):
            if not run.play.hold:
                self.finish(attempt, run.play)

    def _is_due(self) -> bool:
        return bool(
            self._events
            or any(not run.play.hold for run in self._runs.values())
            or self._backlog.next_line() is not None
        )

    def _started(self, run: _Run) -> Started:
        return Started(*run.dispatch[:3], run.slot, 1000 + run.slot, run.started_at, run.slot, 0, 0)

    def _tell(self, event: Event) -> None:
        self._events.append(event)
        self._ring()

    def _ring(self) -> None:
        try:
            os.write(self._writer, b"!")
        except BlockingIOError:
            return  # loud enough

    def _quiet(self) -> None:
        try:
            while os.read(self._reader, 4096):
                pass
        except BlockingIOError:
            return


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _finished(run: _Run, play: Play) -> Finished:
    failed = play.ending != Ending.EXITED or play.code != 0
    is_empty = not play.out and not play.err
    return Finished(
        *run.dispatch[:3],
        ending=play.ending,
        code=play.code,
        slot=run.slot,
        started_at=run.started_at,
        duration_us=play.duration_us,
        cpu_us=play.duration_us,
        max_rss_kib=1000,
        log=0 if is_empty else run.slot,
        out_off=0,
        out_len=len(play.out),
        err_off=0,
        err_len=len(play.err),
        flags=OutputFlag.NONE,
        out_tail=play.out[-4096:] if failed else b"",
        err_tail=play.err[-4096:] if failed else b"",
    )
