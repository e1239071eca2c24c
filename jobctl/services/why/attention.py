"""What somebody should look at: a code, a sentence with figures, and the command to type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jobctl.domain.crew import AWAY
from jobctl.domain.durations import format_duration, format_span
from jobctl.domain.wording import hindrance, number, percent, plural
from jobctl.process.leaders import BARRED, STUCK, WAITS
from jobctl.process.space import PAUSED
from jobctl.services.status.lasting import Lasting
from jobctl.services.status.progress import Progress, Surroundings
from jobctl.store.left import Summary
from jobctl.store.views.jobs import JobView, RunningView

_LASTING_CODES = {BARRED: "barred", STUCK: "cannot_end", WAITS: "leftovers_running"}
#: From this share of failures on, and so many of them, a job deserves a look.
HIGH_FAILURE_SHARE = 0.02
MIN_FAILURES = 5
#: Nothing ended for this long, and for this many times the usual duration.
STALL_US = 60_000_000
STALL_FACTOR = 10
#: Times so far in the future were written under another clock.
SKEW_US = 30_000_000


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
    shortage: str = ""  # of room on the disk, with figures
    untold: tuple[str, str, str] | None = None  # a notification that was given up: code, message, action
    left: Summary | None = None  # processes that its items left behind and that were ended
    lasting: Sequence[Lasting] = ()  # items that wait for processes


def attention(case: Case) -> list[Attention]:
    """What to look at, most pressing first. Of a job that is over only what did not reach anybody."""
    whenever = (_damaged, _clock, _untold, _left)
    while_live = (_disk, _daemon, _paused, _pressure, _workers, _lasting, _stalled, _failures, _retry_wait)
    checks = whenever if case.job.is_done else (*while_live, *whenever)
    return [found for check in checks for found in check(case)]


def _daemon(case: Case) -> Iterator[Attention]:
    daemon, job, program = case.around.daemon, case.job, case.program
    if daemon.state == "not_responding":
        now = case.around.now
        yield Attention(
            "daemon_not_responding",
            f"the daemon (process {daemon.pid}) has said nothing for {format_span(daemon.heartbeat_at or now, now)}",
            f"{program} daemon stop --now && {program} daemon start",
        )
    elif daemon.state == "down":
        yield Attention("daemon_down", "no daemon is running, so nothing starts", f"{program} daemon start")
    elif daemon.state == "draining":
        yield Attention(
            "daemon_down",
            "the daemon is stopping: running items finish, nothing new starts",
            f"{program} daemon start",
        )
    elif not daemon.serves(job.id, foreground=bool(job.foreground)):
        yield Attention(
            "daemon_down",
            f"`jobctl run` runs only job {daemon.scope}; no daemon is running for the other jobs",
            f"{program} wait {daemon.scope}; {program} daemon start",
        )


def _paused(case: Case) -> Iterator[Attention]:
    job, queue, now = case.job, case.around.queue, case.around.now
    if job.paused_at is not None:
        why = f": {job.pause_reason}" if job.pause_reason else ""
        message = f"paused {format_span(job.paused_at, now)} ago{why}"
        yield Attention("paused", message, f"{case.program} resume {job.id}")
    if queue.paused_at is not None:
        why = f": {queue.pause_reason}" if queue.pause_reason else ""
        message = f"queue {job.queue} was paused {format_span(queue.paused_at, now)} ago{why}"
        yield Attention("paused", message, f"{case.program} resume --queue {job.queue}")


def _disk(case: Case) -> Iterator[Attention]:
    if case.shortage:
        message = f"the disk is nearly full, nothing new starts until there is room: {case.shortage}"
        yield Attention("disk_low", message, f"{case.program} prune --dry-run")


def _damaged(case: Case) -> Iterator[Attention]:
    """A value that an older version stored unchecked, or that somebody changed: what stands in for it is harmless."""
    job = case.job
    if job.damage:
        held = "" if job.is_done else "; nothing of it starts"
        action = f"{case.program} prune {job.id}" if job.is_done else f"{case.program} cancel {job.id}"
        yield Attention("damaged", f"its row in the database is damaged: {job.damage}{held}", action)


def _clock(case: Case) -> Iterator[Attention]:
    """Times of the future: the clock was put back, or another machine writes here."""
    said = {"daemon last wrote": case.around.daemon.heartbeat_at, "job last changed": case.job.updated_at}
    ahead = {what: at - case.around.now for what, at in said.items() if at is not None}
    what = max(ahead, key=lambda name: ahead[name])
    if ahead[what] > SKEW_US:
        message = f"the {what} {format_duration(ahead[what] / 1e6)} in the future: the clock went back"
        yield Attention("clock_skew", f"{message}, times and durations are not to be trusted", "date -u")


def _untold(case: Case) -> Iterator[Attention]:
    if case.untold is not None:
        yield Attention(*case.untold)


def _left(case: Case) -> Iterator[Attention]:
    left = case.left
    if left is None:
        return
    whose = f"item {left.item}" if left.items == 1 else plural(left.items, "item")
    were = "was" if left.processes == 1 else "were"
    named = f": {left.names}" if left.names else ""
    message = f"{plural(left.processes, 'process', 'processes')} that {whose} left behind {were} ended{named}"
    yield Attention("leftovers_ended", message, f"{case.program} explain {case.job.id}.{left.item}")


def _lasting(case: Case) -> Iterator[Attention]:
    if case.around.daemon.state == "down":
        return
    for state, code in _LASTING_CODES.items():
        found = [each for each in case.lasting if each.state == state]
        if found:
            more = f"; {plural(len(found) - 1, 'more item')} like this" if len(found) > 1 else ""
            message = f"item {found[0].item} {found[0].sentence()}{more}"
            yield Attention(code, message, f"{case.program} explain {case.job.id}.{found[0].item}")


def _pressure(case: Case) -> Iterator[Attention]:
    daemon = case.around.daemon
    if daemon.is_away:
        message = f"{daemon.pressure.removeprefix(AWAY)}; jobctl keeps trying"
        yield Attention("cluster_away", message, f"{case.program} daemon status")
    elif daemon.pressure and daemon.state != "down" and not daemon.pressure.startswith(PAUSED):
        yield Attention(
            "spawn_pressure",
            f"{hindrance(daemon.pressure)}; jobctl keeps trying",
            f"{case.program} daemon status",
        )


def _workers(case: Case) -> Iterator[Attention]:
    if case.around.missing is not None and case.job.live:
        yield Attention(*case.around.missing)


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
        f"nothing has ended for {format_span(job.updated_at, now)};"
        f" item {item} has been running for {format_span(began, now)}{compare}",
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
