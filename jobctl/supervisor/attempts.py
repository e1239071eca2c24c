"""The attempts that the supervisor holds, from the backlog through a slot to an outcome that is acknowledged."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable

from jobctl.process import own_log
from jobctl.process.identity import Tagger
from jobctl.process.leaders import Leaders, since_boot_ns
from jobctl.supervisor.backlog import Backlog, Dispatch, JobLine
from jobctl.supervisor.devices import FreeDevices
from jobctl.supervisor.job_plan import JobPlan, NoOutputError, PressureError
from jobctl.supervisor.limits import FILES_PER_SLOT, OTHER_FILES, FileLimit
from jobctl.supervisor.output import NOWHERE
from jobctl.supervisor.pressure import MACHINE, NEVER, PressureState
from jobctl.supervisor.protocol import fields, wire
from jobctl.supervisor.protocol.fields import id_of
from jobctl.supervisor.running import AttemptId, Running, Verdict, code_of, code_when_ended, kib, left_text
from jobctl.supervisor.spawn import CannotStartError

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    import select
    from typing import Any

    from jobctl.supervisor.calls.pool import WorkerPool
    from jobctl.supervisor.protocol.channel import Tell

_MAX_IDLE_OUTPUTS = 16
#: The time between two comparisons of the running items' outputs with their cap.
_TRIM_S = 2.0


def _save_nothing(_outcome: tuple[Any, ...]) -> None:
    """Save nothing."""


class Attempts:
    """Starts what the backlog offers and keeps outcomes until they are acknowledged."""

    def __init__(
        self, store_id: str, tagger: Tagger, tell: Tell, poll: select.poll, part: tuple[int, int] = (0, 1)
    ) -> None:
        self._poll = poll
        self._part = part
        self.backlog = Backlog(part)
        self.running: dict[int, Running] = {}  # by pid of the leader, until it is reaped
        self.by_serial: dict[int, Running] = {}  # also those that wait for the end of their other processes
        self.outcomes: dict[AttemptId, tuple[Any, ...]] = {}  # until acknowledged
        self.save: Callable[[tuple[Any, ...]], None] = _save_nothing  # keeps an outcome if this process is killed
        self.deadline = NEVER  # the earliest deadline of an attempt that runs
        self.trim_at = NEVER  # when to compare growing outputs with their cap
        self._limit = FileLimit()
        self.store = store_id.encode()
        self._tagger = tagger
        self._tell = tell
        self._serial = 0
        self.table = Leaders("")
        self.pressure = PressureState()
        self._devices: FreeDevices | None = None  # created when a job needs any
        self._waiting_for_devices: set[int] = set()  # jobs
        self._idle: dict[int, JobLine] = {}  # jobs without work that have files open, oldest first
        self._leaving: set[int] = set()  # jobs to forget when they are idle
        self.calls: WorkerPool | None = None  # created when a job calls a function
        self._logged_errors: set[Any] = set()  # kinds of unexpected errors, each with its place in the code
        self.calls_path = ""  # the file that keeps the outcomes of calls

    def use_table(self, table: Leaders) -> None:
        """Record the leaders of attempts in this table. A tag of an earlier supervisor must not be given twice."""
        self.table = table
        self._serial = max((entry.serial for entry in table.before), default=0)

    def define(self, spec: tuple[Any, ...]) -> None:
        """Add a job, or change what its attempts share; ``spec`` has the fields of domain.ports.JobSpec."""
        job, slots = spec[fields.SPEC_JOB], spec[fields.SPEC_SLOTS]
        self._leaving.discard(job)
        line = self.backlog.define(job, slots, spec[fields.SPEC_QUEUE], spec[fields.SPEC_QUEUE_SLOTS])
        if line.extra is None:
            line.extra = JobPlan(spec, self._part)
        else:
            line.extra.update(spec)
        if line.extra.call is not None:
            self.expect_calls()

    def expect_calls(self) -> None:
        """Create the pool of workers, and report the outcomes of calls that an earlier supervisor kept."""
        if self.calls is None:
            from jobctl.supervisor.calls.kept_calls import KeptCalls
            from jobctl.supervisor.calls.pool import WorkerPool  # most supervisors never need it

            self.calls = WorkerPool(self, self._poll, self._tell, KeptCalls(self.calls_path))

    def forget(self, job: int) -> None:
        """Drop a job as soon as none of its attempts waits or runs."""
        line = self.backlog.forget(job)
        if line is None:
            self._leaving.add(job)
            self._stop_loading(job)
        else:
            self._leaving.discard(job)
            self._idle.pop(job, None)
            for worker in list(line.extra.workers.values()):
                worker.retire()
            line.extra.output.close()
            self._relieve(job)

    def _stop_loading(self, job: int) -> None:
        """End workers that still load for a job that is over: they could keep their slots for ever."""
        line = self.backlog.lines.get(job)
        for worker in [] if line is None else list(line.extra.workers.values()):
            if worker.is_loading and worker.is_idle:
                worker.retire()

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
        self._tagger.unmark()  # the supervisor itself is not an item

    def _start(self, line: JobLine, dispatch: Dispatch, slot: int, now: float) -> bool:
        plan: JobPlan = line.extra
        if slot in plan.workers:
            plan.workers[slot].give(dispatch, now)
            self.deadline = min(self.deadline, plan.workers[slot].deadline)
            return True
        self._serial += 1
        kind = Running if self.calls is None or plan.call is None else self.calls.worker
        run = kind(dispatch[:3], line, slot, self._serial)
        if plan.gpus and not self._lend_devices(run, dispatch):
            return True
        self._tagger.mark(run.serial)
        run.started_at = time.time_ns() // 1000
        run.began = time.monotonic()
        run.begun = since_boot_ns()
        try:
            run.start(dispatch, self._cookie_of(run.id))
        except CannotStartError as problem:
            self._finish_unstarted(run, problem)
            return True
        except (PressureError, NoOutputError) as problem:
            self._take_devices_back(run)
            self.backlog.put_back(line, dispatch, slot)
            self._press(line, MACHINE if isinstance(problem, PressureError) else line.job, str(problem), now)
            return False
        run.place = self.table.add(run.id, run.pid, run.begun, run.serial)
        self._started(run)
        return True

    def _lend_devices(self, run: Running, dispatch: Dispatch) -> bool:
        """Lend an attempt the GPUs that it needs; False if it must wait for them, or fails because too few exist."""
        plan = run.plan
        if self._devices is None and not self._find_devices(run, dispatch):
            return False
        assert self._devices is not None
        taken = self._devices.take(plan.gpus)
        if taken is None and plan.gpus > self._devices.total:
            text = self._devices.explain_shortage(plan.gpus)
            self._finish_unstarted(run, CannotStartError(errno.ENODEV, text))
        elif taken is None:
            self.backlog.put_back(run.line, dispatch, run.slot)
            self.backlog.hold(run.line, held=True)
            self._waiting_for_devices.add(run.line.job)
        else:
            plan.devices = run.devices = taken
        return taken is not None

    def _find_devices(self, run: Running, dispatch: Dispatch) -> bool:
        """Find the GPUs of the machine; False if that is not possible now, and the job tries again later."""
        try:
            self._devices = FreeDevices()
        except OSError as problem:
            self.backlog.put_back(run.line, dispatch, run.slot)
            self._press(run.line, run.line.job, f"devices: {problem.strerror}", time.monotonic())
            return False
        return True

    def _take_devices_back(self, run: Running) -> None:
        if run.devices and self._devices is not None:
            self._devices.give_back(run.devices)
            run.devices = ()
            for job in self._waiting_for_devices:
                self._unhold(job)
            self._waiting_for_devices.clear()

    def _started(self, run: Running) -> None:
        self.running[run.pid] = self.by_serial[run.serial] = run
        self.deadline = min(self.deadline, run.deadline)
        if self.pressure:
            self._relieve(MACHINE)
            self._relieve(run.id[0])
        if self.trim_at == NEVER:
            self.trim_at = run.began + _TRIM_S
        self._limit.restore(run.pid)
        if not run.takes_calls:
            self._tell(wire.STARTED, run.started_event())

    def _cookie_of(self, id_: AttemptId) -> bytes:
        return b"%b.%d.%d.%d" % (self.store, *id_)

    def serial_of_cookie(self, cookie: bytes) -> int | None:
        """The serial of the running attempt that has this cookie."""
        return next((serial for serial, run in self.by_serial.items() if self._cookie_of(run.id) == cookie), None)

    def finish(self, run: Running, ending: int | None, reuse_files: bool) -> None:
        """Record the outcome of an attempt and free its slot. Its leader was reaped and its other processes are gone.

        ``reuse_files``: no process can still write to its output files.
        """
        assert run.reaped is not None
        del self.by_serial[run.serial]
        self.table.remove(run.place)
        self._take_devices_back(run)
        if run.takes_calls:
            run.died(ending, bool(run.left))  # type: ignore[attr-defined]
            return
        status, rusage, ended = run.reaped
        code = code_of(status) if ending is None else code_when_ended(status)
        if ending is None:
            ending = wire.SIGNALLED if os.WIFSIGNALED(status) else wire.EXITED
            if run.left and not status and run.plan.leftovers == wire.FAIL:
                ending = wire.LEFT
        place = self._settle_output(run, bool(status or ending), reuse_files)
        used = (
            int((ended - run.began) * 1e6),
            int((rusage.ru_utime + rusage.ru_stime) * 1e6),
            kib(rusage.ru_maxrss),
        )
        self._outcome(run, ending, code, used, place)

    def _settle_output(self, run: Running, with_tail: bool, reuse_files: bool) -> Any:
        output = run.plan.output
        try:
            place = output.settle(run.scratch, run.slot, with_tail)
        except Exception as error:  # an error in its output must not lose its outcome
            self.log_unexpected(error, f"the output of item {run.id[0]}.{run.id[1]}")
            place, reuse_files = NOWHERE, False
        if not reuse_files:
            output.retire(run.slot)
        return place

    def log_unexpected(self, error: Exception, what: str) -> None:
        """Log an unexpected error, each kind once. It must affect one item or worker only, never the supervisor."""
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        kind = (type(error).__name__, frame and (frame.tb_frame.f_code.co_filename, frame.tb_lineno))
        if kind in self._logged_errors:
            return
        self._logged_errors.add(kind)
        own_log.say(f"supervisor: {what}: {own_log.traceback_of(error)}")

    def _finish_unstarted(self, run: Running, problem: CannotStartError) -> None:
        self._take_devices_back(run)
        place = (*NOWHERE[:7], problem.text.encode("utf-8", "replace"))
        self._outcome(run, wire.NOT_STARTED, problem.errno, (0, 0, 0), place)

    def _outcome(self, run: Running, ending: int, code: int, used: tuple[int, int, int], place: Any) -> None:
        log, out_off, out_len, err_off, err_len, cut, out_tail, err_tail = place
        flags = (wire.CUT if cut else 0) | (wire.LEFTOVERS if run.left else 0)
        where = (log, out_off, out_len, err_off, err_len, flags, out_tail, err_tail)
        more = (None, None, "", left_text(run.left)) if run.left else ()
        self.keep((*run.id, ending, code, run.slot, run.started_at_now(), *used, *where, *more))
        self.release(run.line, run.slot)

    def keep(self, outcome: tuple[Any, ...]) -> None:
        """Report an outcome and keep it until it is acknowledged; it has the fields of domain.ports.Finished."""
        self.outcomes[id_of(outcome)] = outcome
        self.save(outcome)
        self._tell(wire.FINISHED, outcome)

    def release(self, line: JobLine, slot: int) -> None:
        """Free a slot."""
        self.backlog.release(line, slot)
        if not line.busy and not line.waiting:
            self._idle_now(line)

    def _idle_now(self, line: JobLine) -> None:
        """Close the files of the job that has been idle longest: with thousands of jobs, descriptors would run out."""
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

    def expired(self, now: float) -> list[tuple[Running, Verdict]]:
        """Attempts whose time is over, and the way to end each; sets the next ``deadline``."""
        over = []
        for run in [run for run in self.by_serial.values() if run.deadline <= now]:
            run.deadline = NEVER
            if (verdict := run.overdue(now)) is not None:
                over.append((run, verdict))
        self.deadline = min((run.deadline for run in self.by_serial.values()), default=NEVER)
        return over

    def extend_deadlines(self, gap_s: float) -> None:
        """The supervisor stood still for this time, which counts for no attempt."""
        for run in self.by_serial.values():
            run.extend_deadline(gap_s)
        self.deadline += gap_s

    def cancelled(self, ids: set[AttemptId], verdict: Verdict, now: float) -> list[tuple[Running, Verdict]]:
        """The processes to end because these attempts were cancelled, and the way to end each."""
        over = []
        for run in list(self.by_serial.values()):
            if not ids.isdisjoint(run.ids()) and (found := run.cancelled(ids, verdict, now)) is not None:
                over.append((run, found))
            self.deadline = min(self.deadline, run.deadline)
        return over

    def held(self) -> list[AttemptId]:
        """Attempts that wait, run, or have ended without an acknowledgement."""
        waiting = [id_of(dispatch) for line in self.backlog.lines.values() for dispatch in line.waiting]
        running = [id_ for run in self.by_serial.values() for id_ in run.ids()]
        calls = [] if self.calls is None else self.calls.held()
        return waiting + running + calls + list(self.outcomes)

    def act(self, now: float) -> None:
        """Start what can start, and retry what the machine had no room for."""
        if now >= self.pressure.retry_at:
            for job in self.pressure.try_again():
                self._unhold(job)
        if now >= self.trim_at:
            self._trim(now)
        self._fill(now)

    def _trim(self, now: float) -> None:
        for run in self.by_serial.values():
            run.plan.output.trim(run.scratch, run.output_starts())
        self.trim_at = now + _TRIM_S if self.by_serial else NEVER

    def resize(self, capacity: int) -> None:
        """Set the number of attempts that may run at once."""
        self.backlog.capacity = capacity
        self._limit.ensure(FILES_PER_SLOT * capacity + OTHER_FILES)

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
