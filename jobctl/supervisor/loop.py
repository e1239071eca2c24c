"""The supervisor: parent of the engine and of every item, holder of the daemon lock, keeper of outcomes.

It never opens the database, so no damage to the database and no death of the engine can lose an outcome. It has one
thread and imports little. It reports everything to the engine or to the log.
"""

from __future__ import annotations

import gc
import math
import os
import select
import signal
import socket
import time
from collections.abc import Callable

from jobctl.process.identity import Tagger
from jobctl.process.leaders import Leaders
from jobctl.process.own_log import say
from jobctl.supervisor.attempts import Attempts
from jobctl.supervisor.backlog import Dispatch
from jobctl.supervisor.barred import BarredAttempts
from jobctl.supervisor.calls.kept import holds_any
from jobctl.supervisor.endings import DEFAULT_GRACE_S, Endings
from jobctl.supervisor.engine_process import EngineProcess
from jobctl.supervisor.kept_outcomes import KeptOutcomes
from jobctl.supervisor.kept_starts import KeptStarts
from jobctl.supervisor.options import Options
from jobctl.supervisor.pressure import NEVER
from jobctl.supervisor.protocol import fields, wire
from jobctl.supervisor.protocol.fields import id_of
from jobctl.supervisor.running import AttemptId
from jobctl.supervisor.service_manager import ServiceManager
from jobctl.supervisor.signals import SignalPipe
from jobctl.supervisor.standstill import Standstill

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

    from jobctl.supervisor.protocol.channel import Message

#: How long the end of everything may take beyond the grace of the running items.
_LEAVE_EXTRA_S = 10.0
#: Pause before the next engine when the disk is full or fails. This is never a reason to give up.
_NOT_NOW_PAUSE_S = 2.0
_FAILED_STARTS = 3
#: At most this many engines start after a stop was requested. Where no engine can live, the stop must still end.
_SUCCESSORS_IN_STOP = 2
_WITHOUT_ENGINE = "it stops without an engine, because none can work: running items finish, their outcomes are kept"


class SurvivingRecords:
    """The records that survive a killed supervisor, with what an earlier supervisor left in them."""

    __slots__ = ("barred", "kept", "starts", "table")

    def __init__(self, starts: KeptStarts, kept: KeptOutcomes, table: Leaders, barred: BarredAttempts) -> None:
        self.starts = starts
        self.kept = kept
        self.table = table
        self.barred = barred


class Supervisor:
    """One loop that reaps, starts, talks to the engine, and ends processes; between rounds it waits for an event."""

    def __init__(self, options: Options, records: SurvivingRecords) -> None:
        self._options = options
        self._manager = ServiceManager(os.environ)  # before anything inherits the environment
        self._poll = select.poll()
        tagger = Tagger(options.store_id)
        self._engine = EngineProcess(options.engine, options.store_id, tagger, self._poll)
        self._attempts = Attempts(options.store_id, tagger, self._engine.tell, self._poll, options.part)
        self._attempts.use(records.table)
        self._attempts.backlog.note = records.starts.note
        kept = records.kept
        self._attempts.outcomes.update({id_of(outcome): outcome for outcome in kept.load()})
        self._attempts.save = kept.put
        if options.lock:  # a guest keeps nothing: no supervisor after it would report what it ran
            self._attempts.calls_path = os.path.join(os.path.dirname(options.lock), "calls")
        if holds_any(self._attempts.calls_path):
            self._attempts.expect_calls()
        self._kept = kept
        self._barred = records.barred
        self._barred.watch(self._poll, time.monotonic())
        for sentence in self._barred.sentences():
            self._log(sentence)
        if options.guest >= 0:
            self._engine.attach(socket.socket(fileno=options.guest))
        self._endings = Endings(self._attempts, tagger, self._log)
        self._signals = SignalPipe((signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
        self._fresh = True  # no engine has handed over any attempt
        self._stop = 0
        self._stop_by = NEVER
        self._leave_by = NEVER
        self._told_empty = False
        self._exit_code = 0
        self._drains = False  # no engine can work with this supervisor any more
        self._failed_starts = 0
        self._successors = _SUCCESSORS_IN_STOP
        #: This process shall become the supervisor of the jobctl that is installed now.
        self.restarts = False

    def run(self) -> int:
        """Work until told to stop; returns the exit code."""
        self._poll.register(self._signals.fileno(), select.POLLIN)
        if self._options.lifeline >= 0:
            self._poll.register(self._options.lifeline, select.POLLIN)
        gc.freeze()  # everything that exists now stays, so collections need not examine it
        now = time.monotonic()
        standstill = Standstill(now)
        while True:
            self._act(now)
            if self._is_done(now):
                break
            wake_at = self._wake_at()
            standstill.plan(wake_at)
            # Rounded up: otherwise the loop would spin for the last fraction of a millisecond.
            patience_ms = None if wake_at == NEVER else max(0, math.ceil((wake_at - time.monotonic()) * 1000))
            ready = self._poll.poll(patience_ms)
            now = time.monotonic()
            if gap_s := standstill.gap_s(now):
                self._wake_up(gap_s, now)
            for fd, _ in ready:
                self._hear(fd, now)
        self._engine.kill()
        return self._exit_code

    # ---- due work ----

    def _act(self, now: float) -> None:
        engine, attempts = self._engine, self._attempts
        if now >= self._manager.due:
            self._manager.beat(now)
        if now >= engine.start_at:
            self._start_engine()
        if now >= attempts.deadline:
            self._end_expired(now)
        attempts.act(now)
        if now >= self._endings.due:
            self._endings.act(now)
        if now >= self._barred.due:
            self._barred.look(now, engine.tell)
        if now >= engine.kill_at:
            engine.kill()
        if now >= engine.gone_at:
            engine.gone_at = NEVER
            self._leave(0, 0.0, now)
        if now >= self._stop_by:
            self._stop_by = NEVER
            engine.kill()
            self._leave(1, 0.0, now)
        # The engine is woken once for many events, unless it has to feed us.
        if now >= engine.flush_at or (not attempts.backlog.waiting and engine.flush_at != NEVER):
            engine.flush()

    def _end_expired(self, now: float) -> None:
        over = self._attempts.expired(now)
        if over:
            self._reap(now)  # an attempt that has ended by itself was in time
        for run, (ending, grace_s) in over:
            if run.serial in self._attempts.by_serial:
                self._endings.end(run, ending, grace_s, now)

    def _wake_up(self, gap_s: float, now: float) -> None:
        """The supervisor was stopped for this long: reap what ended in the meantime before judging anything."""
        numbers = self._signals.take()
        self._attempts.excuse(gap_s)
        self._endings.excuse(gap_s, now)
        self._engine.kill_at += gap_s
        self._stop_by += gap_s
        self._leave_by += gap_s
        self._reap(now, gap_s)
        self._obey_signals(numbers, now)

    def _wake_at(self) -> float:
        engine, attempts = self._engine, self._attempts
        return min(
            engine.flush_at,
            attempts.pressure.retry_at,
            attempts.deadline,
            attempts.trim_at,
            self._endings.due,
            self._barred.due,
            engine.start_at,
            engine.kill_at,
            engine.gone_at,
            self._stop_by,
            self._leave_by,
            self._manager.due,
        )

    def _is_done(self, now: float) -> bool:
        if self._drains and self._leave_by == NEVER and not self._endings.busy:
            self._leave(0 if self.restarts or self._stop else 1, 0.0, now)
        if self._leave_by == NEVER:
            return False
        if not self._endings.busy and not self._told_empty:
            self._told_empty = True
            self._engine.tell(wire.HELD, [])  # this answers CLOSE
        return now >= self._leave_by or not (self._endings.busy or self._engine.pid)

    # ---- events ----

    def _hear(self, fd: int, now: float) -> None:
        if fd == self._signals.fileno():
            self._obey_signals(self._signals.take(), now)
        elif fd == self._engine.fd:
            self._obey(self._engine.hear(now), now)
        elif self._attempts.calls is not None and fd in self._attempts.calls.workers:
            self._attempts.calls.hear(fd, now)
        elif self._barred.is_watched(fd):
            self._barred.look(now, self._engine.tell)
        elif fd == self._options.lifeline:
            self._poll.unregister(fd)
            self._ask_to_stop(now)

    def _obey_signals(self, numbers: bytes, now: float) -> None:
        for number in numbers:
            if number in (signal.SIGTERM, signal.SIGINT):  # SIGHUP, the end of a terminal, changes nothing
                self._ask_to_stop(now)
        if signal.SIGCHLD in numbers:
            self._reap(now)

    def _obey(self, messages: list[Message], now: float) -> None:
        for kind, payload in messages:
            _ORDERS[kind](self, payload, now)

    def _define(self, spec: tuple[Any, ...], now: float) -> None:
        self._attempts.define(spec)
        self._endings.rules_changed(now)

    def _forget(self, job: int, _now: float) -> None:
        self._attempts.forget(job)

    def _resize(self, slots: int, _now: float) -> None:
        self._attempts.resize(slots)

    def _take(self, batch: list[Dispatch], _now: float) -> None:
        self._fresh = False
        backlog = self._attempts.backlog
        for dispatch in batch:
            if dispatch[fields.DISPATCH_JOB] in backlog.lines and self._leave_by == NEVER:
                backlog.add(dispatch)
            else:
                self._engine.tell(wire.RETURNED, id_of(dispatch))

    def _acknowledge(self, ids: list[AttemptId], _now: float) -> None:
        for id_ in ids:
            self._attempts.outcomes.pop(id_, None)
        self._kept.acknowledge(ids)
        self._barred.acknowledge(ids)

    def _acknowledge_calls(self, numbers: list[int], _now: float) -> None:
        if self._attempts.calls is not None:
            self._attempts.calls.acknowledge(numbers)

    def _recall(self, job: int | None, now: float) -> None:
        self._give_back(self._attempts.backlog.recall(job))
        if self._attempts.calls is not None:
            self._attempts.calls.recall(job, now)

    def _cancel(self, request: tuple[list[AttemptId], float, int], now: float) -> None:
        self._reap(now)  # an attempt that has ended by itself is not cancelled
        ids, grace_s, ending = request
        wanted = set(ids)
        self._give_back(self._attempts.backlog.withdraw(wanted))
        for run, verdict in self._attempts.unwanted(wanted, (ending, grace_s), now):
            self._endings.end(run, *verdict, now)

    def _adopt(self, _nothing: None, _now: float) -> None:
        self._engine.has_adopted = True
        self._options.report("ready")
        self._manager.tell("READY=1")
        attempts, tell = self._attempts, self._engine.tell
        tell(wire.HELD, attempts.held() + self._barred.ids())
        self._barred.tell_again(tell)
        for run in attempts.by_serial.values():
            if (started := run.started_event()) is not None:
                tell(wire.STARTED, started)
        for outcome in attempts.outcomes.values():
            tell(wire.FINISHED, outcome)
        if attempts.calls is not None:
            attempts.calls.tell_again()
        if reason := str(attempts.pressure):
            tell(wire.PRESSURE, (reason,))
        if self._stop:
            tell(wire.STOP, self._stop)
        for job in list(attempts.backlog.lines):  # the engine defines its jobs again and does not know the others
            attempts.forget(job)

    def _beat(self, lease: tuple[float, float], _now: float) -> None:
        lease_s, sent_at = lease
        self._engine.gone_at = sent_at + lease_s  # counted from the sender's time: this process may have been stopped

    def _close(self, grace_s: float, now: float) -> None:
        self._reap(now)
        self._leave(0, grace_s, now)

    def _refuse(self, text: str, now: float) -> None:
        self._options.report(f"error {text}")
        if self._engine.has_adopted:
            self._drain(f"the engine cannot continue: {text}")
        else:
            self._leave(1, DEFAULT_GRACE_S, now)

    def _give_back(self, dispatches: list[Dispatch]) -> None:
        for dispatch in dispatches:
            self._engine.tell(wire.RETURNED, id_of(dispatch))

    # ---- the engine and the end ----

    def _start_engine(self) -> None:
        try:
            self._engine.start(fresh=self._fresh)
        except OSError as problem:
            self._log(f"cannot start the engine now: {problem.strerror}")
            self._note_failed_start(problem)
            if self._stop and not self._drains:
                self._drain(_WITHOUT_ENGINE)
        self._endings.engine_pid = self._engine.pid

    def _note_failed_start(self, problem: OSError) -> None:
        """Report a first engine that cannot start: the command that waits for it would otherwise wait for ever."""
        self._failed_starts += 1
        if self._engine.has_adopted or self._leave_by != NEVER:
            return
        from jobctl.process import ulimit  # rarely needed

        if ulimit.is_out_of_files(problem) or self._failed_starts >= _FAILED_STARTS:
            self._options.report(f"error {ulimit.in_words(problem)}")
            self._leave(1, DEFAULT_GRACE_S, time.monotonic())

    def _reap(self, now: float, gap_s: float = 0.0) -> None:
        status = self._endings.reap(now, gap_s)
        if status is not None:
            self._obey(self._engine.ended(), now)
            if self._leave_by == NEVER and not self._drains:
                self._succeed_engine(status, now)

    def _succeed_engine(self, status: int, now: float) -> None:
        """The engine ended: leave if its work is done, otherwise plan what follows it."""
        if status == 0:
            self._leave(0, DEFAULT_GRACE_S, now)
            return
        code = os.waitstatus_to_exitcode(status)
        self._log(f"the engine ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}")
        if not self._engine.has_adopted:
            self._options.report(f"error the engine ended with {code} before it was ready")
            self._leave(1, DEFAULT_GRACE_S, now)
        elif code == wire.OTHER_JOBCTL:
            self._drain(
                "jobctl was upgraded under this daemon, which starts again when the running items have finished"
            )
            self.restarts = not self._stop
        elif code == wire.REPLACED:
            self._drain("files of the database were removed or replaced: running items finish, their outcomes are kept")
        elif code == wire.STORE_GONE:
            self._leave(1, DEFAULT_GRACE_S, now)
        elif self._stop and (code == wire.NOT_NOW or not self._successors):
            self._drain(_WITHOUT_ENGINE)
        elif code == wire.NOT_NOW:
            self._engine.start_at = now + _NOT_NOW_PAUSE_S
        elif self._engine.replace(now):
            self._successors -= bool(self._stop)
        else:
            self._log("the engine died too often: giving up")
            self._leave(1, DEFAULT_GRACE_S, now)

    def _drain(self, why: str) -> None:
        """Continue without an engine: start nothing, keep outcomes, and leave when the running items have ended."""
        self._log(why)
        self._drains = True
        self._engine.start_at = NEVER
        self._give_back(self._attempts.backlog.recall(None))

    def _ask_to_stop(self, now: float) -> None:
        self._manager.tell("STOPPING=1")
        self._stop = min(2, self._stop + 1)
        self.restarts = False
        if not self._engine.pid and self._engine.start_at != NEVER:
            self._engine.start_at = now  # a stop does not wait for the pause between two starts
        self._engine.tell(wire.STOP, self._stop)
        self._engine.flush()
        if self._stop == 2 and self._stop_by == NEVER:
            graces = [line.extra.grace_s for line in self._attempts.backlog.lines.values()]
            grace_s = max(graces, default=0.0)
            self._stop_by = now + grace_s + _LEAVE_EXTRA_S
            if self._drains:
                self._leave(1, grace_s, now)

    def _leave(self, code: int, grace_s: float, now: float) -> None:
        """End everything that runs, then the loop; ``code`` is the exit code unless an earlier call has set one."""
        if self._leave_by == NEVER:
            self._exit_code = code
        self._leave_by = now + grace_s + _LEAVE_EXTRA_S
        self._engine.start_at = NEVER
        self._recall(None, now)
        self._endings.end_everything(wire.INTERRUPTED, grace_s, now)

    @staticmethod
    def _log(text: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        say(f"{stamp} supervisor: {text}")


_ORDERS: dict[int, Callable[[Supervisor, Any, float], None]] = {
    wire.DEFINE: Supervisor._define,
    wire.FORGET: Supervisor._forget,
    wire.RESIZE: Supervisor._resize,
    wire.START: Supervisor._take,
    wire.ACKNOWLEDGE: Supervisor._acknowledge,
    wire.ACKNOWLEDGE_CALLS: Supervisor._acknowledge_calls,
    wire.RECALL: Supervisor._recall,
    wire.CANCEL: Supervisor._cancel,
    wire.ADOPT: Supervisor._adopt,
    wire.CLOSE: Supervisor._close,
    wire.BEAT: Supervisor._beat,
    wire.REFUSE: Supervisor._refuse,
}
