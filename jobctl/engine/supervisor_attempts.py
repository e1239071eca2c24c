"""The attempts that the supervisor holds: from the backlog into a slot, to an outcome that waits for its receipt."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from jobctl.engine.supervisor_pressure import MACHINE, NEVER, Pressure
from jobctl.process import wire
from jobctl.process.backlog import Backlog, Dispatch, JobLine
from jobctl.process.identity import Tagger
from jobctl.process.limits import FileLimit
from jobctl.process.output import NOWHERE, Scratch
from jobctl.process.plan import JobPlan, NoOutputError, PressureError
from jobctl.process.spawn import CannotStartError

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

    #: Tell the engine: (kind, payload).
    Tell = Callable[[int, Any], None]

AttemptId = tuple[int, int, int]

_MAX_IDLE_OUTPUTS = 16
#: How often the outputs of running items are measured against their cap.
_TRIM_S = 2.0
_FILES_PER_SLOT = 2
_OTHER_FILES = 200


class Running:
    """One attempt that runs."""

    __slots__ = ("began", "deadline", "id", "line", "pid", "reaped", "scratch", "serial", "slot", "started_at")

    def __init__(self, id_: AttemptId, line: JobLine, slot: int, serial: int) -> None:
        self.id = id_
        self.line = line
        self.slot = slot
        self.serial = serial
        self.pid = 0
        self.scratch: Scratch
        self.started_at = 0  # microseconds, UTC
        self.began = 0.0  # monotonic
        self.deadline = NEVER
        self.reaped: tuple[int, Any, float] | None = None  # exit status, rusage, when

    @property
    def plan(self) -> JobPlan:
        plan: JobPlan = self.line.extra
        return plan


class Attempts:
    """Starts what the backlog offers and keeps the outcomes of what ended."""

    def __init__(self, store_id: str, tagger: Tagger, tell: Tell) -> None:
        self.backlog = Backlog()
        self.running: dict[int, Running] = {}  # by pid of the unreaped leader
        self.by_serial: dict[int, Running] = {}  # also those whose leader is gone but which are being ended
        self.outcomes: dict[AttemptId, tuple[Any, ...]] = {}  # until acknowledged
        self.deadline = NEVER  # no attempt times out before
        self.trim_at = NEVER  # when growing outputs are looked at
        self._limit = FileLimit()
        self._cookie = store_id.encode()
        self._tagger = tagger
        self._tell = tell
        self._serial = 0
        self.pressure = Pressure()
        self._idle: dict[int, JobLine] = {}  # jobs with nothing to do but files open, oldest first
        self._leaving: set[int] = set()  # jobs to forget when they are idle

    def define(self, spec: tuple[Any, ...]) -> None:
        """Add a job or change what its attempts share."""
        self._leaving.discard(spec[0])
        line = self.backlog.define(spec[0], spec[4], spec[5], spec[6])
        if line.extra is None:
            line.extra = JobPlan(spec)
        else:
            line.extra.update(spec)

    def forget(self, job: int) -> None:
        """Drop a job as soon as nothing of it waits or runs."""
        line = self.backlog.forget(job)
        if line is None:
            self._leaving.add(job)
        else:
            self._leaving.discard(job)
            self._idle.pop(job, None)
            line.extra.output.close()
            self._relieve(job)

    def _fill(self, now: float) -> None:
        if self.pressure.stops_everything:
            return
        backlog = self.backlog
        line = backlog.next_line()
        if line is None:
            return
        while line is not None:
            dispatch, slot = backlog.take(line)
            if not self._start(line, dispatch, slot, now) and self.pressure.stops_everything:
                break
            line = backlog.next_line()
        self._tagger.unmark()  # the supervisor itself is no item

    def _start(self, line: JobLine, dispatch: Dispatch, slot: int, now: float) -> bool:
        self._serial += 1
        run = Running(dispatch[:3], line, slot, self._serial)
        self._tagger.mark(run.serial)
        run.started_at = time.time_ns() // 1000
        run.began = time.monotonic()
        try:
            run.pid, run.scratch = line.extra.start(dispatch, slot, self._cookie_of(run.id))
        except CannotStartError as problem:
            self._finish_unstarted(run, problem)
            return True
        except (PressureError, NoOutputError) as problem:
            self.backlog.put_back(line, dispatch, slot)
            self._press(line, MACHINE if isinstance(problem, PressureError) else line.job, str(problem), now)
            return False
        self._started(run)
        return True

    def _started(self, run: Running) -> None:
        self.running[run.pid] = self.by_serial[run.serial] = run
        timeout_s = run.plan.timeout_s
        if timeout_s is not None:
            run.deadline = run.began + timeout_s
            self.deadline = min(self.deadline, run.deadline)
        if self.pressure:
            self._relieve(MACHINE)
            self._relieve(run.id[0])
        if self.trim_at == NEVER:
            self.trim_at = run.began + _TRIM_S
        self._limit.restore(run.pid)
        self._tell(wire.STARTED, self.started_event(run))

    def _cookie_of(self, id_: AttemptId) -> bytes:
        return b"%b.%d.%d.%d" % (self._cookie, *id_)

    def serial_of_cookie(self, cookie: bytes) -> int | None:
        """The serial of a running attempt."""
        return next((serial for serial, run in self.by_serial.items() if self._cookie_of(run.id) == cookie), None)

    def started_event(self, run: Running) -> tuple[Any, ...]:
        """Fields of domain.ports.Started."""
        return (*run.id, run.slot, run.pid, run.started_at, run.scratch.number, 0, 0)

    def finish(self, run: Running, ending: int | None, leftovers: bool, reuse_files: bool) -> None:
        """Record the outcome of an attempt whose leader was reaped and free its slot.

        ``reuse_files`` says that nobody can still write to its output files.
        """
        assert run.reaped is not None
        status, rusage, ended = run.reaped
        signalled = os.WIFSIGNALED(status)
        code = os.WTERMSIG(status) if signalled else os.WEXITSTATUS(status)
        if ending is None:
            ending = wire.SIGNALLED if signalled else wire.EXITED
        output = run.plan.output
        place = output.settle(run.scratch, run.slot, bool(status or ending))
        if not reuse_files:
            output.retire(run.slot)
        flags = (wire.CUT if place[5] else 0) | (wire.LEFTOVERS if leftovers else 0)
        used = (
            int((ended - run.began) * 1e6),
            int((rusage.ru_utime + rusage.ru_stime) * 1e6),
            _kib(rusage.ru_maxrss),
        )
        self._outcome(run, ending, code, used, place, flags)
        del self.by_serial[run.serial]

    def _finish_unstarted(self, run: Running, problem: CannotStartError) -> None:
        place = (*NOWHERE[:7], problem.text.encode("utf-8", "replace"))
        self._outcome(run, wire.NOT_STARTED, problem.errno, (0, 0, 0), place, 0)

    def _outcome(
        self, run: Running, ending: int, code: int, used: tuple[int, int, int], place: Any, flags: int
    ) -> None:
        log, out_off, out_len, err_off, err_len, _, out_tail, err_tail = place
        where = (log, out_off, out_len, err_off, err_len, flags, out_tail, err_tail)
        outcome = (*run.id, ending, code, run.slot, run.started_at, *used, *where)
        self.outcomes[run.id] = outcome
        self._tell(wire.FINISHED, outcome)
        line = run.line
        self.backlog.release(line, run.slot)
        if not line.busy and not line.waiting:
            self._idle_now(line)

    def _idle_now(self, line: JobLine) -> None:
        """Thousands of jobs may come and go: files of jobs with nothing to do are open for a few of them only."""
        if not self.backlog.running:
            os.chdir("/")  # keep nobody from unmounting a job's directory
        if line.job in self._leaving:
            self.forget(line.job)
            return
        line.extra.output.shrink()
        self._idle.pop(line.job, None)
        self._idle[line.job] = line
        if len(self._idle) > _MAX_IDLE_OUTPUTS:
            oldest = self._idle.pop(next(iter(self._idle)))
            if not oldest.busy:
                oldest.extra.output.close()

    def expired(self, now: float) -> list[Running]:
        """Attempts that ran out of time; sets the next ``deadline``."""
        over = [run for run in self.running.values() if run.deadline <= now]
        for run in over:
            run.deadline = NEVER
        self.deadline = min((run.deadline for run in self.running.values()), default=NEVER)
        return over

    def held(self) -> list[AttemptId]:
        """Whatever waits, runs, or ended without a receipt."""
        waiting = [dispatch[:3] for line in self.backlog.lines.values() for dispatch in line.waiting]
        return waiting + [run.id for run in self.by_serial.values()] + list(self.outcomes)

    def act(self, now: float) -> None:
        """Start what can start; try again what the machine had no room for."""
        if now >= self.pressure.retry_at:
            for job in self.pressure.try_again():
                self._unhold(job)
        if now >= self.trim_at:
            self._trim(now)
        self._fill(now)

    def _trim(self, now: float) -> None:
        for run in self.running.values():
            run.plan.output.trim(run.scratch)
        self.trim_at = now + _TRIM_S if self.running else NEVER

    def resize(self, capacity: int) -> None:
        """Set how many attempts may run at once."""
        self.backlog.capacity = capacity
        self._limit.ensure(_FILES_PER_SLOT * capacity + _OTHER_FILES)

    def _press(self, line: JobLine, key: int, reason: str, now: float) -> None:
        if key != MACHINE:
            self.backlog.hold(line, held=True)
        if self.pressure.add(key, reason, now):
            self._tell(wire.PRESSURE, (str(self.pressure),))

    def _relieve(self, key: int) -> None:
        if self.pressure.drop(key):
            self._unhold(key)
            self._tell(wire.PRESSURE, (str(self.pressure),))

    def _unhold(self, job: int) -> None:
        line = self.backlog.lines.get(job)
        if line is not None:
            self.backlog.hold(line, held=False)


def _kib(max_rss: int) -> int:
    return max_rss if os.uname().sysname != "Darwin" else max_rss >> 10
