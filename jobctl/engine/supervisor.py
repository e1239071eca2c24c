"""The supervisor: parent of the engine and of every item, holder of the daemon lock, keeper of outcomes.

It never opens the database, so nothing that happens to the database or to the engine can lose an outcome. It is
single-threaded and imports little; everything it says goes to the engine or to the log.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from jobctl.engine.supervisor_attempts import Attempts, Running
from jobctl.engine.supervisor_engine import Engine
from jobctl.engine.supervisor_options import Options
from jobctl.process import wire
from jobctl.process.backlog import Dispatch
from jobctl.process.channel import Message
from jobctl.process.identity import ENGINE_SERIAL, Tagger
from jobctl.process.killing import Kill
from jobctl.process.orphans import UNKNOWN, Orphans
from jobctl.process.signals import SignalPipe

_COALESCE_S = 0.008
_LEAVE_EXTRA_S = 10.0
_DEFAULT_GRACE_S = 10.0


class Supervisor:
    """One loop: reap, start, talk, end what must be ended; it waits for whichever comes first."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._tagger = Tagger(options.store_id)
        self._engine = Engine(options.engine, options.store_id, self._tagger)
        self._attempts = Attempts(options.store_id, self._tagger, self._tell)
        self._orphans = Orphans(options.store_id, self._tagger)
        self._signals = SignalPipe((signal.SIGCHLD, signal.SIGTERM, signal.SIGINT))
        self._poll = select.poll()
        self._kills: dict[int, Kill] = {}
        self._starts: dict[tuple[int, int, int], tuple[Any, ...]] = {}
        self._flush_at: float | None = None
        self._stop = 0
        self._stop_by: float | None = None
        self._leave_by: float | None = None
        self._told_empty = False
        self._fresh = True
        self._exit_code = 0

    def run(self) -> int:
        """Work until told to stop; returns the exit code."""
        self._poll.register(self._signals.fileno(), select.POLLIN)
        if self._options.lifeline >= 0:
            self._poll.register(self._options.lifeline, select.POLLIN)
        now = time.monotonic()
        while not self._done(now):
            self._act(now)
            ready = self._poll.poll(self._patience_ms())
            now = time.monotonic()
            for fd, _ in ready:
                self._hear(fd, now)
        self._engine.kill()
        return self._exit_code

    # What is due.

    def _act(self, now: float) -> None:
        attempts = self._attempts
        if self._engine.start_at is not None and now >= self._engine.start_at:
            self._start_engine(now)
        if attempts.retry_at is not None:
            attempts.retry(now)
        attempts.fill(now)
        if attempts.deadline is not None and now >= attempts.deadline:
            for run in attempts.expired(now):
                self._end(run, wire.TIMED_OUT, run.plan.grace_s, now)
        for kill in [kill for kill in self._kills.values() if now >= kill.due]:
            self._kill_round(kill, now)
        if self._stop_by is not None and now >= self._stop_by:
            self._stop_by = None
            self._engine.kill()
            self._leave(1, 0.0, now)
        self._flush(now)

    def _patience_ms(self) -> float | None:
        attempts = self._attempts
        due = [kill.due for kill in self._kills.values()]
        due += [
            when
            for when in (
                self._flush_at,
                attempts.deadline,
                attempts.retry_at,
                self._engine.start_at,
                self._stop_by,
                self._leave_by,
            )
            if when is not None
        ]
        # Rounded up, or the last millisecond would be spent in a busy loop.
        return max(0.0, (min(due) - time.monotonic()) * 1000 + 1) if due else None

    def _done(self, now: float) -> bool:
        if self._leave_by is None:
            return False
        busy = self._attempts.by_serial or self._kills or self._orphans.pids
        if not busy:
            self._tell_once_empty()
        return now >= self._leave_by or not (busy or self._engine.pid)

    # What is heard.

    def _hear(self, fd: int, now: float) -> None:
        if fd == self._signals.fileno():
            numbers = self._signals.take()
            for number in numbers:
                if number != signal.SIGCHLD:
                    self._ask_to_stop(now)
            if signal.SIGCHLD in numbers:
                self._reap(now)
        elif fd == self._options.lifeline:
            self._poll.unregister(fd)
            self._ask_to_stop(now)
        else:
            self._talk(fd, now)

    def _talk(self, fd: int, now: float) -> None:
        channel = self._engine.channel
        if channel is None:
            return
        if channel.waiting:
            self._send()
        self._listen(channel.receive(), now)
        if channel.closed:
            self._poll.unregister(fd)
            self._engine.hang_up()

    def _listen(self, messages: list[Message], now: float) -> None:
        for kind, payload in messages:
            _ANSWERS[kind](self, payload, now)

    def _define(self, spec: tuple[Any, ...], _now: float) -> None:
        self._attempts.define(spec)

    def _forget(self, job: int, _now: float) -> None:
        self._attempts.forget(job)

    def _resize(self, slots: int, _now: float) -> None:
        self._attempts.backlog.capacity = slots

    def _take(self, batch: list[Dispatch], _now: float) -> None:
        self._fresh = False
        backlog = self._attempts.backlog
        for dispatch in batch:
            if dispatch[0] in backlog.lines and self._leave_by is None:
                backlog.add(dispatch)
            else:
                self._tell(wire.RETURNED, dispatch[:3])

    def _acknowledge(self, ids: list[tuple[int, int, int]], _now: float) -> None:
        for id_ in ids:
            self._attempts.outcomes.pop(id_, None)

    def _recall(self, job: int | None, _now: float) -> None:
        self._give_back(self._attempts.backlog.recall(job))

    def _cancel(self, request: tuple[list[tuple[int, int, int]], float, int], now: float) -> None:
        ids, grace_s, ending = request
        wanted = {tuple(id_) for id_ in ids}
        self._give_back(self._attempts.backlog.withdraw(wanted))  # type: ignore[arg-type]
        for run in [run for run in self._attempts.by_serial.values() if run.id in wanted]:
            self._end(run, ending, grace_s, now)

    def _adopt(self, _nothing: None, _now: float) -> None:
        self._engine.has_adopted = True
        self._options.report("ready")
        attempts = self._attempts
        self._tell(wire.HELD, attempts.held())
        for run in attempts.by_serial.values():
            self._tell(wire.STARTED, attempts.started_event(run))
        for outcome in attempts.outcomes.values():
            self._tell(wire.FINISHED, outcome)
        self._tell(wire.PRESSURE, (attempts.pressure(),))
        if self._stop:
            self._tell(wire.STOP, self._stop)

    def _tell_once_empty(self) -> None:
        """Answer CLOSE: nothing is held any more."""
        if not self._told_empty:
            self._told_empty = True
            self._tell(wire.HELD, [])

    def _close(self, grace_s: float, now: float) -> None:
        self._leave(0, grace_s, now)

    def _refuse(self, text: str, now: float) -> None:
        self._options.report(f"error {text}")
        self._leave(1, _DEFAULT_GRACE_S, now)

    # Processes that end.

    def _reap(self, now: float) -> None:
        attempts = self._attempts
        ended: list[Running] = []
        engine_status: int | None = None
        while True:
            try:
                pid, status, rusage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if not pid:
                break
            run = attempts.running.pop(pid, None)
            if run is not None:
                run.reaped = (status, rusage, now)
                ended.append(run)
            elif pid == self._engine.pid:
                engine_status = status
            else:
                self._orphan_ended(self._orphans.pids.pop(pid, None), now)
        if engine_status is not None:
            self._engine_ended(engine_status, now)
        self._look_for_orphans()
        for run in ended:
            self._leader_ended(run, now)
        if self._orphans.pids and not attempts.by_serial:
            self._end_strays(UNKNOWN, now)
        attempts.hurry()

    def _look_for_orphans(self) -> None:
        attempts = self._attempts
        expected = len(attempts.running) + (1 if self._engine.pid else 0)
        for serial in self._orphans.look(expected, self._is_ours, attempts.serial_of_cookie):
            if serial in self._kills:
                self._kills[serial].due = 0.0
            elif serial not in attempts.by_serial and serial not in (UNKNOWN, ENGINE_SERIAL):
                self._kills[serial] = Kill(serial, None, time.monotonic(), _DEFAULT_GRACE_S)

    def _is_ours(self, pid: int) -> bool:
        return pid in self._attempts.running or pid == self._engine.pid

    def _end_strays(self, serial: int, now: float) -> None:
        """End what belongs to no attempt that runs."""
        if self._orphans.of(serial) and serial not in self._kills:
            self._kills[serial] = Kill(serial, None, now, _DEFAULT_GRACE_S)

    def _orphan_ended(self, serial: int | None, now: float) -> None:
        if serial in self._kills:
            self._kill_round(self._kills[serial], now)

    def _leader_ended(self, run: Running, now: float) -> None:
        kill = self._kills.get(run.serial)
        if kill is not None:
            self._kill_round(kill, now)
            return
        leftovers = bool(self._orphans.of(run.serial))
        self._attempts.finish(run, None, leftovers)
        if leftovers:
            self._kills[run.serial] = Kill(run.serial, None, now, run.plan.grace_s)

    def _end(self, run: Running, ending: int, grace_s: float, now: float) -> None:
        """End an attempt and all that descends from it; its outcome waits for the last of them."""
        kill = self._kills.get(run.serial)
        if kill is None:
            kill = self._kills[run.serial] = Kill(run.serial, ending, now, grace_s)
        kill.hasten(now + grace_s)
        self._kill_round(kill, now)

    def _kill_round(self, kill: Kill, now: float) -> None:
        run = self._attempts.by_serial.get(kill.serial)
        roots = self._orphans.of(kill.serial)
        if run is not None and run.reaped is None:
            roots.insert(0, run.pid)
        if kill.round(now, roots, self._tagger):
            return
        if run is not None and run.reaped is None:  # cannot be killed: the slot stays taken until it is gone
            kill.due = now + _LEAVE_EXTRA_S
            return
        del self._kills[kill.serial]
        if run is not None:
            self._attempts.finish(run, kill.ending, leftovers=bool(roots))

    # The engine and the end.

    def _start_engine(self, now: float) -> None:
        try:
            self._engine.start(fresh=self._fresh)
        except OSError as problem:
            self._log(f"cannot start the engine: {problem.strerror}")
            self._engine_lost(now)
            return
        assert self._engine.channel is not None
        self._poll.register(self._engine.channel.fileno(), select.POLLIN)

    def _engine_ended(self, status: int, now: float) -> None:
        if self._engine.channel is not None:
            self._poll.unregister(self._engine.channel.fileno())
        self._listen(self._engine.ended(), now)
        self._starts.clear()
        self._look_for_orphans()
        self._end_strays(ENGINE_SERIAL, now)
        if self._leave_by is not None:
            return
        if status == 0:
            self._leave(0, _DEFAULT_GRACE_S, now)
            return
        code = os.waitstatus_to_exitcode(status)
        self._log(f"the engine ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}")
        if not self._engine.has_adopted:
            self._options.report(f"error the engine could not start (see {self._options.log_name})")
            self._leave(1, _DEFAULT_GRACE_S, now)
            return
        self._engine_lost(now)

    def _engine_lost(self, now: float) -> None:
        if not self._engine.postpone(now):
            self._log("the engine died too often: giving up")
            self._leave(1, _DEFAULT_GRACE_S, now)

    def _ask_to_stop(self, now: float) -> None:
        self._stop = min(2, self._stop + 1)
        self._tell(wire.STOP, self._stop)
        if self._stop == 2 and self._stop_by is None:
            longest = max((line.extra.grace_s for line in self._attempts.backlog.lines.values()), default=0.0)
            self._stop_by = now + longest + _LEAVE_EXTRA_S

    def _leave(self, code: int, grace_s: float, now: float) -> None:
        """End everything, then the loop."""
        if self._leave_by is None:
            self._exit_code = code
        self._leave_by = now + grace_s + _LEAVE_EXTRA_S
        self._engine.start_at = None
        self._give_back(self._attempts.backlog.recall(None))
        for run in list(self._attempts.by_serial.values()):
            self._end(run, wire.INTERRUPTED, grace_s, now)
        self._look_for_orphans()
        for serial in set(self._orphans.pids.values()):
            kill = self._kills.setdefault(serial, Kill(serial, None, now, grace_s))
            kill.hasten(now + grace_s)

    # Talking.

    def _give_back(self, dispatches: list[Dispatch]) -> None:
        for dispatch in dispatches:
            self._tell(wire.RETURNED, dispatch[:3])

    def _tell(self, kind: int, payload: Any) -> None:
        if self._engine.channel is None:
            return
        if kind == wire.STARTED:
            self._starts[payload[:3]] = payload
        else:
            if kind == wire.FINISHED:
                self._starts.pop(payload[:3], None)
            self._engine.channel.post(kind, payload)
        if self._flush_at is None:
            self._flush_at = time.monotonic() + _COALESCE_S

    def _flush(self, now: float) -> None:
        """Events go out together: the engine is woken once for many, unless it has to feed us."""
        channel = self._engine.channel
        if channel is None:
            self._flush_at = None
        elif self._flush_at is not None and (now >= self._flush_at or not self._attempts.backlog.waiting):
            for started in self._starts.values():
                channel.post(wire.STARTED, started)
            self._starts.clear()
            self._flush_at = None
            self._send()

    def _send(self) -> None:
        channel = self._engine.channel
        assert channel is not None
        sent = channel.flush()
        self._poll.modify(channel.fileno(), select.POLLIN if sent else select.POLLIN | select.POLLOUT)

    @staticmethod
    def _log(text: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        print(f"{stamp} supervisor: {text}", file=sys.stderr, flush=True)  # noqa: T201


_ANSWERS: dict[int, Callable[[Supervisor, Any, float], None]] = {
    wire.DEFINE: Supervisor._define,
    wire.FORGET: Supervisor._forget,
    wire.RESIZE: Supervisor._resize,
    wire.START: Supervisor._take,
    wire.ACKNOWLEDGE: Supervisor._acknowledge,
    wire.RECALL: Supervisor._recall,
    wire.CANCEL: Supervisor._cancel,
    wire.ADOPT: Supervisor._adopt,
    wire.CLOSE: Supervisor._close,
    wire.REFUSE: Supervisor._refuse,
}
