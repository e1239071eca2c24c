"""The supervisor: parent of the engine and of every item, holder of the daemon lock. It keeps outcomes for the engine.

It never opens the database, so no damage to the database and no death of the engine can lose an outcome. It has one
thread and imports little. It reports everything to the engine or to the log.
"""

from __future__ import annotations

import gc
import math
import select
import signal
import time

from jobctl.supervisor.options import Options
from jobctl.supervisor.orders import obey, reap
from jobctl.supervisor.pressure import NEVER
from jobctl.supervisor.protocol import wire
from jobctl.supervisor.signals import SignalPipe
from jobctl.supervisor.standstill import Standstill
from jobctl.supervisor.state import SupervisorState, SurvivingRecords


class Supervisor:
    """One loop that reaps, starts, talks to the engine, and ends processes; between rounds it waits for an event."""

    def __init__(self, options: Options, records: SurvivingRecords) -> None:
        self._state = state = SupervisorState(options, records)
        self._options = options
        self._poll = state.poll
        self._manager, self._engine, self._attempts = state.manager, state.engine, state.attempts
        self._endings, self._barred = state.endings, state.barred
        self._signals = SignalPipe((signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
        self._reported_empty = False

    @property
    def restarts(self) -> bool:
        """True if this process shall become the supervisor of the jobctl that is installed now."""
        return self._state.restarts

    def run(self) -> int:
        """Work until a stop is requested or no work is possible; returns the exit code."""
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
            timeout_ms = None if wake_at == NEVER else max(0, math.ceil((wake_at - time.monotonic()) * 1000))
            ready = self._poll.poll(timeout_ms)
            now = time.monotonic()
            if gap_s := standstill.gap_s(now):
                self._wake_up(gap_s, now)
            for fd, _ in ready:
                self._handle_event(fd, now)
        self._engine.kill()
        return self._state.exit_code

    # ---- due work ----

    def _act(self, now: float) -> None:
        engine, attempts = self._engine, self._attempts
        if now >= self._manager.due:
            self._manager.beat(now)
        if now >= engine.start_at:
            self._state.start_engine()
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
            self._state.leave(0, 0.0, now)
        if now >= self._state.stop_by:
            self._state.stop_by = NEVER
            engine.kill()
            self._state.leave(1, 0.0, now)
        # The engine wakes once for many events. Without waiting attempts it wakes at once, to hand over more.
        if now >= engine.flush_at or (not attempts.backlog.waiting and engine.flush_at != NEVER):
            engine.flush()

    def _end_expired(self, now: float) -> None:
        over = self._attempts.expired(now)
        if over:
            reap(self._state, now)  # an attempt that has ended by itself was in time
        for run, (ending, grace_s) in over:
            if run.serial in self._attempts.by_serial:
                self._endings.end(run, ending, grace_s, now)

    def _wake_up(self, gap_s: float, now: float) -> None:
        """The supervisor was stopped for this long: reap what ended in the meantime before judging anything."""
        numbers = self._signals.take()
        self._attempts.extend_deadlines(gap_s)
        self._endings.extend_deadlines(gap_s, now)
        self._engine.kill_at += gap_s
        self._state.stop_by += gap_s
        self._state.leave_by += gap_s
        reap(self._state, now, gap_s)
        self._handle_signals(numbers, now)

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
            self._state.stop_by,
            self._state.leave_by,
            self._manager.due,
        )

    def _is_done(self, now: float) -> bool:
        if self._state.drains and self._state.leave_by == NEVER and not self._endings.busy:
            self._state.leave(0 if self._state.restarts or self._state.stop else 1, 0.0, now)
        if self._state.leave_by == NEVER:
            return False
        if not self._endings.busy and not self._reported_empty:
            self._reported_empty = True
            self._engine.tell(wire.HELD, [])  # this answers CLOSE
        return now >= self._state.leave_by or not (self._endings.busy or self._engine.pid)

    # ---- events ----

    def _handle_event(self, fd: int, now: float) -> None:
        if fd == self._signals.fileno():
            self._handle_signals(self._signals.take(), now)
        elif fd == self._engine.fd:
            obey(self._state, self._engine.socket_ready(now), now)
        elif self._attempts.calls is not None and fd in self._attempts.calls.workers:
            self._attempts.calls.socket_ready(fd, now)
        elif self._barred.is_watched(fd):
            self._barred.look(now, self._engine.tell)
        elif fd == self._options.lifeline:
            self._poll.unregister(fd)
            self._state.ask_to_stop(now)

    def _handle_signals(self, numbers: bytes, now: float) -> None:
        for number in numbers:
            if number in (signal.SIGTERM, signal.SIGINT):  # SIGHUP, the end of a terminal, changes nothing
                self._state.ask_to_stop(now)
        if signal.SIGCHLD in numbers:
            reap(self._state, now)
