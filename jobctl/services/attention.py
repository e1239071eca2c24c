"""What somebody should look at: a code, a sentence with figures, and the command to type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from jobctl.domain.durations import format_duration
from jobctl.domain.wording import number, percent, plural
from jobctl.services.progress import Progress, Surroundings
from jobctl.store.views import JobView, RunningView

#: From this share of failures on, and so many of them, a job deserves a look.
HIGH_FAILURE_SHARE = 0.02
MIN_FAILURES = 5
#: Nothing ended for this long, and for this many times the usual duration.
STALL_US = 60_000_000
STALL_FACTOR = 10


class Attention(NamedTuple):
    """One thing to look at."""

    code: str
    message: str
    action: str


class Case(NamedTuple):
    """All that is known about a job when its attention list is made."""

    job: JobView
    around: Surroundings
    progress: Progress
    running: list[RunningView]
    program: str  # how jobctl is called, as in "jobctl --home /srv/queue"


def attention(case: Case) -> list[Attention]:
    """What to look at, most pressing first. Nothing for a job that is over: ``retry`` and ``next`` speak then."""
    if case.job.is_done:
        return []
    checks = (_daemon, _paused, _pressure, _stalled, _failures, _retry_wait)
    return [found for check in checks for found in check(case)]


def _daemon(case: Case) -> Iterator[Attention]:
    daemon, job, program = case.around.daemon, case.job, case.program
    if daemon.state == "not_responding":
        silent_s = (case.around.now - (daemon.heartbeat_at or case.around.now)) / 1e6
        yield Attention(
            "daemon_not_responding",
            f"the daemon (process {daemon.pid}) has said nothing for {format_duration(silent_s)}",
            f"{program} daemon stop --now && {program} daemon start",
        )
    elif daemon.state == "down":
        yield Attention("daemon_down", "no daemon is running, so nothing starts", f"{program} daemon start")
    elif daemon.state == "draining":
        yield Attention(
            "daemon_down",
            "the daemon is stopping: what runs finishes, nothing new starts",
            f"{program} daemon start",
        )
    elif not daemon.serves(job.id, foreground=bool(job.foreground)):
        yield Attention(
            "daemon_down",
            f"only job {daemon.scope} is being worked off (by `jobctl run`), no daemon is running for the others",
            f"{program} wait {daemon.scope}; {program} daemon start",
        )


def _paused(case: Case) -> Iterator[Attention]:
    job, queue, now = case.job, case.around.queue, case.around.now
    if job.paused_at is not None:
        why = f": {job.pause_reason}" if job.pause_reason else ""
        message = f"paused {format_duration((now - job.paused_at) / 1e6)} ago{why}"
        yield Attention("paused", message, f"{case.program} resume {job.id}")
    if queue.paused_at is not None:
        why = f": {queue.pause_reason}" if queue.pause_reason else ""
        message = f"queue {job.queue} was paused {format_duration((now - queue.paused_at) / 1e6)} ago{why}"
        yield Attention("paused", message, f"{case.program} resume --queue {job.queue}")


def _pressure(case: Case) -> Iterator[Attention]:
    daemon = case.around.daemon
    if daemon.pressure and daemon.state != "down":
        yield Attention(
            "spawn_pressure",
            f"the machine refuses to start processes ({daemon.pressure}); jobctl keeps trying",
            f"{case.program} daemon status",
        )


def _stalled(case: Case) -> Iterator[Attention]:
    job, now = case.job, case.around.now
    usual_us = job.mean_us or 0.0
    limit_us = max(STALL_US, STALL_FACTOR * usual_us)
    started = [(r.started_at, r.item) for r in case.running if r.started_at is not None]
    if not case.around.daemon.is_working or not started or now - job.updated_at <= limit_us:
        return
    began, item = min(started)
    compare = f", usual is {format_duration(usual_us / 1e6)}" if usual_us else ""
    yield Attention(
        "stalled",
        f"nothing has ended for {format_duration((now - job.updated_at) / 1e6)};"
        f" item {item} has been running for {format_duration((now - began) / 1e6)}{compare}",
        f"{case.program} logs {job.id}.{item}",
    )


def _failures(case: Case) -> Iterator[Attention]:
    job = case.job
    if job.failed >= MIN_FAILURES and job.failed >= HIGH_FAILURE_SHARE * job.processed:
        yield Attention(
            "failure_rate_high",
            f"{number(job.failed)} of {plural(job.processed, 'item')} failed ({percent(job.failed, job.processed)})",
            f"{case.program} items {job.id} --state failed",
        )


def _retry_wait(case: Case) -> Iterator[Attention]:
    job, due = case.job, case.around.first_due_at
    if due is None or job.queued or job.running or job.paused_at is not None:
        return
    wait_us = due - case.around.now
    when = f"the next in {format_duration(wait_us / 1e6)}" if wait_us > 0 else "the next now"
    yield Attention(
        "retry_wait",
        f"all that is left, {plural(job.retrying, 'item')}, waits for another attempt, {when}",
        f"{case.program} items {job.id} --state retrying",
    )
