"""The attention list of a job: problems that a person should look at, each with the command to type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from jobctl.domain.blocker_kinds import RETRY_WAIT
from jobctl.domain.durations import format_duration, format_span
from jobctl.domain.wording import number, percent, plural
from jobctl.services.why.blockers import Blocker
from jobctl.services.why.situation import Situation

if TYPE_CHECKING:
    from jobctl.store.leftovers import LeftoversOfJob

#: The failure rate is high from this share and this number of failures on.
HIGH_FAILURE_SHARE = 0.02
MIN_FAILURES = 5
#: A job is stalled if nothing has ended for this long, and for this many times the usual duration.
STALL_US = 60_000_000
STALL_FACTOR = 10
#: A time that is further in the future was written under another clock.
SKEW_US = 30_000_000


class Attention(NamedTuple):
    """One entry of the list."""

    code: str
    message: str
    action: str


def attention(case: Situation, blockers: Sequence[Blocker], undelivered: Attention | None) -> list[Attention]:
    """Return what a person should look at: blockers that are unusual in the life of a job, then other unusual facts.

    ``undelivered`` is a notification that was given up.
    """
    job = case.job
    # A wait for another attempt is usual as long as other items run.
    usual = {RETRY_WAIT} if job.running or job.paused_at is not None else set()
    notices = [
        Attention(each.kind.notice, each.message, each.remedy or "")
        for each in blockers
        if each.kind.notice and each.kind not in usual
    ]
    if case.process_waits and case.daemon.state != "down":  # without a daemon this is unknown
        notices += _process_waits(case)
    if case.running and case.daemon.is_working:
        notices += _stalled(case)
    if not job.is_done and job.failed >= max(MIN_FAILURES, HIGH_FAILURE_SHARE * job.processed):
        message = (
            f"{number(job.failed)} of {plural(job.processed, 'item')} failed ({percent(job.failed, job.processed)})"
        )
        notices.append(Attention("failure_rate_high", message, f"{case.program} items {job.id} --state failed"))
    notices += _clock(case)
    notices += [] if undelivered is None else [undelivered]
    return notices if case.left is None else [*notices, _left(case, case.left)]


def _process_waits(case: Situation) -> Iterator[Attention]:
    """The items that wait for processes."""
    from jobctl.process.leaders import BARRED, STUCK, WAITS  # most jobs have no such item

    codes = {BARRED: "barred", STUCK: "cannot_end", WAITS: "leftovers_running"}
    for state, code in codes.items():
        found = [each for each in case.process_waits if each.state == state]
        if found:
            more = f"; {plural(len(found) - 1, 'more item')} like this" if len(found) > 1 else ""
            message = f"item {found[0].item} {found[0].sentence()}{more}"
            yield Attention(code, message, f"{case.program} explain {case.job.id}.{found[0].item}")


def _stalled(case: Situation) -> Iterator[Attention]:
    job, now = case.job, case.now
    usual_us = job.mean_us or 0.0
    limit_us = max(STALL_US, STALL_FACTOR * usual_us)
    if now - job.updated_at <= limit_us:
        return
    began, item = min((view.started_at or 0, view.item) for view in case.running)
    compare = f", usual is {format_duration(usual_us / 1e6)}" if usual_us else ""
    yield Attention(
        "stalled",
        f"nothing has ended for {format_span(job.updated_at, now)};"
        f" item {item} has been running for {format_span(began, now)}{compare}",
        f"{case.program} logs {job.id}.{item}",
    )


def _clock(case: Situation) -> Iterator[Attention]:
    """Times of the future: the clock was put back, or another machine writes here."""
    daemon_us, job_us = (case.daemon.heartbeat_at or case.now) - case.now, case.job.updated_at - case.now
    ahead_us, what = max((daemon_us, "daemon last wrote"), (job_us, "job last changed"))
    if ahead_us > SKEW_US:
        message = f"the {what} {format_duration(ahead_us / 1e6)} in the future: the clock went back"
        yield Attention("clock_skew", f"{message}, so times and durations cannot be trusted", "date -u")


def _left(case: Situation, left: LeftoversOfJob) -> Attention:
    whose = f"item {left.item}" if left.items == 1 else plural(left.items, "item")
    were = "was" if left.processes == 1 else "were"
    named = f": {left.names}" if left.names else ""
    message = f"{plural(left.processes, 'process', 'processes')} that {whose} left behind {were} ended{named}"
    return Attention("leftovers_ended", message, f"{case.program} explain {case.job.id}.{left.item}")
