"""Carries out the orders of the engine, and reaps the processes that have ended."""

from __future__ import annotations

from collections.abc import Callable

from jobctl.supervisor.backlog import Dispatch
from jobctl.supervisor.endings import DEFAULT_GRACE_S
from jobctl.supervisor.pressure import NEVER
from jobctl.supervisor.protocol import fields, wire
from jobctl.supervisor.protocol.fields import id_of
from jobctl.supervisor.running import AttemptId
from jobctl.supervisor.state import SupervisorState

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

    from jobctl.supervisor.protocol.channel import Message


def obey(state: SupervisorState, messages: list[Message], now: float) -> None:
    """Carry out the orders of the engine."""
    for kind, payload in messages:
        _ORDERS[kind](state, payload, now)


def reap(state: SupervisorState, now: float, gap_s: float = 0.0) -> None:
    """Settle every process that has ended. ``gap_s`` is the time for which the supervisor stood still before.

    If the engine is among them, its last orders are carried out before the next engine is planned.
    """
    status = state.endings.reap(now, gap_s)
    if status is not None:
        obey(state, state.engine.ended(), now)
        if state.leave_by == NEVER and not state.drains:
            state.engine_ended(status, now)


def _define(state: SupervisorState, spec: tuple[Any, ...], now: float) -> None:
    state.attempts.define(spec)
    state.endings.rules_changed(now)


def _forget(state: SupervisorState, job: int, _now: float) -> None:
    state.attempts.forget(job)


def _resize(state: SupervisorState, slots: int, _now: float) -> None:
    state.attempts.resize(slots)


def _start(state: SupervisorState, batch: list[Dispatch], _now: float) -> None:
    state.fresh = False
    backlog = state.attempts.backlog
    for dispatch in batch:
        if dispatch[fields.DISPATCH_JOB] in backlog.lines and state.leave_by == NEVER:
            backlog.add(dispatch)
        else:
            state.engine.tell(wire.RETURNED, id_of(dispatch))


def _acknowledge(state: SupervisorState, ids: list[AttemptId], _now: float) -> None:
    for id_ in ids:
        state.attempts.outcomes.pop(id_, None)
    state.kept_outcomes.acknowledge(ids)
    state.barred.acknowledge(ids)


def _acknowledge_calls(state: SupervisorState, numbers: list[int], _now: float) -> None:
    if state.attempts.calls is not None:
        state.attempts.calls.acknowledge(numbers)


def _cancel(state: SupervisorState, request: tuple[list[AttemptId], float, int], now: float) -> None:
    reap(state, now)  # an attempt that has ended by itself is not cancelled
    ids, grace_s, ending = request
    wanted = set(ids)
    state.give_back(state.attempts.backlog.withdraw(wanted))
    for run, verdict in state.attempts.cancelled(wanted, (ending, grace_s), now):
        state.endings.end(run, *verdict, now)


def _adopt(state: SupervisorState, _nothing: None, _now: float) -> None:
    """A new engine asks for everything that the supervisor holds: report it again."""
    state.engine.has_adopted = True
    state.options.report("ready")
    state.manager.tell("READY=1")
    attempts, tell = state.attempts, state.engine.tell
    tell(wire.HELD, attempts.held() + state.barred.ids())
    state.barred.tell_again(tell)
    for run in attempts.by_serial.values():
        if (started := run.started_event()) is not None:
            tell(wire.STARTED, started)
    for outcome in attempts.outcomes.values():
        tell(wire.FINISHED, outcome)
    if attempts.calls is not None:
        attempts.calls.tell_again()
    if reason := str(attempts.pressure):
        tell(wire.PRESSURE, (reason,))
    if state.stop:
        tell(wire.STOP, state.stop)
    for job in list(attempts.backlog.lines):  # the engine defines its jobs again and does not know the others
        attempts.forget(job)


def _beat(state: SupervisorState, lease: tuple[float, float], _now: float) -> None:
    lease_s, sent_at = lease
    state.engine.gone_at = sent_at + lease_s  # counted from the sender's time: this process may have been stopped


def _close(state: SupervisorState, grace_s: float, now: float) -> None:
    reap(state, now)
    state.leave(0, grace_s, now)


def _refuse(state: SupervisorState, text: str, now: float) -> None:
    state.options.report(f"error {text}")
    if state.engine.has_adopted:
        state.drain(f"the engine cannot continue: {text}")
    else:
        state.leave(1, DEFAULT_GRACE_S, now)


def _recall(state: SupervisorState, job: int | None, now: float) -> None:
    state.recall(job, now)


_ORDERS: dict[int, Callable[[SupervisorState, Any, float], None]] = {
    wire.DEFINE: _define,
    wire.FORGET: _forget,
    wire.RESIZE: _resize,
    wire.START: _start,
    wire.ACKNOWLEDGE: _acknowledge,
    wire.ACKNOWLEDGE_CALLS: _acknowledge_calls,
    wire.RECALL: _recall,
    wire.CANCEL: _cancel,
    wire.ADOPT: _adopt,
    wire.CLOSE: _close,
    wire.BEAT: _beat,
    wire.REFUSE: _refuse,
}
