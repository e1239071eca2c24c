"""The progress of a job: its running items, its speed, and the estimate of its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jobctl.domain.cluster_workers import needs_of, room_for
from jobctl.domain.policy import Policy
from jobctl.domain.rate import parse_rate
from jobctl.domain.slots import count_running
from jobctl.services.daemon.view import DaemonView
from jobctl.store.views.jobs import JobView
from jobctl.store.views.queues import QueueView

if TYPE_CHECKING:
    from jobctl.services.why.situation import Situation

#: With fewer outcomes or a shorter time, an estimate of the end would be a guess.
MIN_PROCESSED = 20
MIN_OF_FEW = 3
MIN_ACTIVE_US = 5_000_000
#: If nothing has ended for this long, and for this many times the usual time, the rate so far says nothing.
SILENCE_US = 30_000_000
SILENCE_FACTOR = 3


class Progress(NamedTuple):
    """Figures derived from a job's row; times in microseconds."""

    queued: int
    running: int
    active_us: int
    paused_us: int
    rate_per_s: float | None
    eta_us: int | None


def room(daemon: DaemonView, policy: Policy) -> int | None:
    """Return the number of items of a job for which the workers of a cluster have room; None if only slots decide."""
    needs = needs_of(policy.resources, policy.gpus) if daemon.cluster is not None else ()
    return room_for(needs, daemon.cluster.offers) if daemon.cluster is not None and needs else None


def usable_slots(policy: Policy, queue: QueueView, daemon: DaemonView) -> int | None:
    """Return the most items of a job that can run at once; None if no limit is known."""
    limits = (policy.slots, queue.slots, daemon.slots, None if daemon.cluster is None else room(daemon, policy))
    return min((limit for limit in limits if limit is not None), default=None)


def progress_of(case: Situation, *, is_halted: bool) -> Progress:
    """Return the figures of a job at one moment; ``is_halted`` says that none of its items can start."""
    job, daemon, now = case.job, case.daemon, case.now
    slots = usable_slots(case.policy, case.queue, daemon)
    # The supervisor has attempts ahead of free slots, and the counter of running items includes them. For a
    # person, only those run that have a slot, or that began when there were more slots. The others are still queued.
    free = None if daemon.slots is None else daemon.slots - case.taken
    running = count_running(job.running, len(case.running), (slots, free)) if job.running else 0
    pause_us = 0 if job.paused_at is None or job.is_done else max(0, now - job.paused_at)
    paused_us = job.paused_us + pause_us
    # The time without a daemon is not active: the job ran until the last heartbeat of the daemon.
    seen_at = daemon.heartbeat_at if daemon.state == "down" else None
    worked_until = now if seen_at is None else min(now, max(seen_at, job.updated_at))
    active_us = max(0, job.active_us + _round_us(job, worked_until) - job.paused_us)
    rate = job.rate_per_s
    if job.is_done:
        rate = job.processed / (active_us / 1e6) if active_us > 0 and job.processed else None
    eta_us = None
    if rate and not (job.is_done or job.stop is not None or is_halted) and _is_estimate(case, slots, active_us, rate):
        eta_us = _eta_us(case, rate)
    return Progress(job.queued + job.running - running, running, active_us, paused_us, rate, eta_us)


def _round_us(job: JobView, now: int) -> int:
    """The length of the present round up to ``now``, without a pause that has not ended."""
    if job.started_at is None:
        return 0
    pause_us = 0 if job.paused_at is None or job.is_done else max(0, now - job.paused_at)
    ended = now if job.finished_at is None else job.finished_at
    return ended - max(job.started_at, job.round_at) - pause_us


def _is_estimate(case: Situation, slots: int | None, active_us: int, rate: float) -> bool:
    """Return whether the rate allows an estimate: something ended lately, and enough of this round is done.

    Enough is one outcome for every slot and a quarter of the items, but at most twenty outcomes.
    """
    job, now = case.job, case.now
    usual_us = SILENCE_FACTOR * max(1e6 / rate, job.mean_us or 0)
    if not job.retrying and now - job.updated_at > max(SILENCE_US, usual_us):
        return False
    round_us = min(active_us, _round_us(job, now))
    enough = min(MIN_PROCESSED, max(MIN_OF_FEW, job.total // 4, slots or 0))
    if job.processed < enough or round_us < MIN_ACTIVE_US:
        return False
    return job.round == 1 or rate * round_us / 1e6 >= enough


def _eta_us(case: Situation, rate: float) -> int:
    """Time until the last item has its outcome.

    Everything that is left at the rate of the last items, which includes how many really run at once and how much of
    the work is repeated; but not before the last item that waits for another attempt is due.
    """
    job = case.job
    work_us = int(job.live / rate * 1e6)
    if case.policy.rate is not None:
        work_us = max(work_us, int(job.queued / parse_rate(case.policy.rate) * 1e6))
    if case.last_due_at is None:
        return work_us
    return max(work_us, case.last_due_at - case.now + int(job.mean_us or 0))
