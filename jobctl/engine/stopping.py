"""Stopping a job before its end: cancelled, past its deadline, too many failures, a command that does not exist."""

from __future__ import annotations

from dataclasses import dataclass, replace

from jobctl.domain.ports import AttemptId, Executor
from jobctl.domain.states import Stop
from jobctl.engine.attempts.settling import Settler
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.store import jobs, journal
from jobctl.store.database import Database

#: Rows looked at in one transaction: a million-row cancel must not keep commands waiting for their turn to write.
CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Order:
    """Why a job stops, who says so, and what becomes of what runs."""

    stop: Stop
    actor: str
    reason: str
    kill: int  # 0 lets it finish, 1 ends it with grace, 2 ends it at once


def give(database: Database, live: LiveJob, order: Order, now: int) -> None:
    """Note that a job stops. A second order can only make it quicker."""
    if live.closing or (live.stop is not None and order.kill <= live.row.stop_now):
        return
    first = live.stop is None
    if first:
        live.row = replace(live.row, stop=order.stop, stop_reason=order.reason)
        live.drop_from = 1
    live.row = replace(live.row, stop_now=order.kill)
    live.ending_sent = False
    reason = live.row.stop_reason
    jobs.update(database, live.id, stop=live.row.stop, stop_now=order.kill, stop_reason=reason, updated_at=now)
    event = "stop" if first else "stop_now"
    journal.note(database, live.id, event, at=now, actor=order.actor, reason=order.reason, rule=str(order.stop))


def drop_waiting(database: Database, epoch: int, live: LiveJob, now: int) -> dict[str, int]:
    """Take the next chunk of rows that will not run in this round out of the queue; returns the counter moves."""
    if live.drop_from > live.row.total:
        return {}
    last = live.drop_from + CHUNK - 1
    deltas = Settler(database, epoch, live, now).drop(live.drop_from, last)
    live.drop_from = last + 1
    live.next_due = None
    return deltas


def has_waiting(live: LiveJob) -> bool:
    """Whether there are rows left to take out of the queue."""
    return live.stop is not None and live.drop_from <= live.row.total


def end_running(executor: Executor, live: LiveJob) -> None:
    """After the commit: give back what has not started, and end what runs if the order says so."""
    if live.stop is None or live.ending_sent:
        return
    live.ending_sent = True
    executor.recall(live.id)
    if live.row.stop_now and live.in_hand:
        grace_s = live.row.policy.grace_s if live.row.stop_now == 1 else 0.0
        executor.cancel([AttemptId(live.id, *key) for key in live.in_hand], grace_s)


def take_back(executor: Executor, live: LiveJob, *, paused: bool) -> None:
    """Of a job that is paused, since this engine came or before, nothing more begins that was handed over."""
    if paused and not live.taken_back:
        executor.recall(live.id)
    live.taken_back = paused
