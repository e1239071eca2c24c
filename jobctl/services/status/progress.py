"""How far a job is, how fast it goes and when it will end; a guess is not called an estimate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jobctl.domain.policy import Policy
from jobctl.domain.slots import fitting
from jobctl.services.daemon.view import DaemonView
from jobctl.services.status.workers import Missing, room
from jobctl.store.views.jobs import JobView, QueueView

#: Before that much is known, an ETA would be a guess.
MIN_PROCESSED = 20
MIN_OF_FEW = 3
MIN_ACTIVE_US = 5_000_000
#: Nothing happened for this long, and for this many times what was usual: the rate of before says nothing.
SILENCE_US = 30_000_000
SILENCE_FACTOR = 3


class Surroundings(NamedTuple):
    """What besides its own row decides how a job goes on."""

    daemon: DaemonView
    queue: QueueView
    slots: int | None  # that the job can use, None = unknown
    started: int  # items seen to run
    first_due_at: int | None  # of the items that wait for another attempt
    last_due_at: int | None
    now: int
    missing: Missing | None = None  # what no worker of the cluster has
    waits_for: Sequence[tuple[int, str]] = ()  # jobs that it comes after and that are not done, and on what condition
    never: str = ""  # why it can never start
    follows: Sequence[tuple[int, int]] = ()  # jobs that have rows of it, and how many wait for the end of each
    held_by: str = ""  # what keeps a job that runs nothing from starting more, in words
    top_rate_per_s: float | None = None  # more than that cannot start
    taken: int = 0  # slots that items of other jobs are seen to have


class Progress(NamedTuple):
    """Figures derived from a job's row; times in microseconds."""

    queued: int
    running: int
    active_us: int
    paused_us: int
    rate_per_s: float | None
    eta_us: int | None


def usable_slots(policy: Policy, queue: QueueView, daemon: DaemonView) -> int | None:
    """The most items of a job that can run at once; None when nothing limits it as far as we know."""
    limits = [n for n in (policy.slots, queue.slots, daemon.slots, room(daemon, policy)) if n is not None]
    return min(limits, default=None)


def progress(job: JobView, around: Surroundings) -> Progress:
    """The figures of a job at one moment."""
    queued, running = split_running(job, around)
    active_us = active_time_us(job, _worked_until(job, around))
    rate = _rate(job, active_us)
    return Progress(
        queued=queued,
        running=running,
        active_us=active_us,
        paused_us=job.paused_us + _pause_now_us(job, around.now),
        rate_per_s=rate,
        eta_us=_eta_us(job, around, active_us, rate),
    )


def split_running(job: JobView, around: Surroundings) -> tuple[int, int]:
    """(queued, running) as a person means it.

    The engine hands attempts over ahead of free slots, and the job's counter of running items includes those. No
    more than the slots can really run, or what began when there were more of them: the rest is shown as queued, which
    it is.
    """
    free = None if around.daemon.slots is None else around.daemon.slots - around.taken
    running = fitting(job.running, around.started, (around.slots, free))
    return job.queued + job.running - running, running


def active_time_us(job: JobView, now: int) -> int:
    """Time in which the job could make progress: all rounds, each from its first start, without pauses."""
    return max(0, job.active_us + _elapsed_us(job, now) - job.paused_us)


def _worked_until(job: JobView, around: Surroundings) -> int:
    """This moment, or the last sign of whoever worked on the job: a time without a daemon is not active."""
    seen_at = around.daemon.heartbeat_at
    if seen_at is None or around.daemon.state != "down":
        return around.now
    return min(around.now, max(seen_at, job.updated_at))


def _elapsed_us(job: JobView, now: int) -> int:
    """The present round up to now, without the pause that goes on."""
    if job.started_at is None:
        return 0
    ended = now if job.finished_at is None else job.finished_at
    return ended - max(job.started_at, job.round_at) - _pause_now_us(job, now)


def _pause_now_us(job: JobView, now: int) -> int:
    return 0 if job.paused_at is None or job.is_done else max(0, now - job.paused_at)


def _rate(job: JobView, active_us: int) -> float | None:
    if not job.is_done:
        return job.rate_per_s
    return job.processed / (active_us / 1e6) if active_us > 0 and job.processed else None


def _eta_us(job: JobView, around: Surroundings, active_us: int, rate: float | None) -> int | None:
    """Time until the last item has its outcome; None while that would be a guess.

    Everything that is left at the rate of the last items, which has in it how many really run at once and how much of
    the work is repeated; but not before the last item that waits for another attempt is due.
    """
    if job.is_done or job.stop is not None or not rate:
        return None
    if not _is_settled(job, around, active_us, rate) or not _goes_on(job, around, rate):
        return None
    work_us = int(job.live / rate * 1e6)
    if around.top_rate_per_s is not None:
        work_us = max(work_us, int(job.queued / around.top_rate_per_s * 1e6))
    if around.last_due_at is None:
        return work_us
    return max(work_us, around.last_due_at - around.now + int(job.mean_us or 0))


def _is_settled(job: JobView, around: Surroundings, active_us: int, rate: float) -> bool:
    """Whether enough of this round is over to tell from it: twenty items, of few items a quarter, and in every slot."""
    round_us = min(active_us, _elapsed_us(job, around.now))
    enough = min(MIN_PROCESSED, max(MIN_OF_FEW, job.total // 4, around.slots or 0))
    if job.processed < enough or round_us < MIN_ACTIVE_US:
        return False
    return job.round == 1 or rate * round_us / 1e6 >= enough


def _goes_on(job: JobView, around: Surroundings, rate: float) -> bool:
    """Whether it is being worked on, by all that can be seen."""
    if job.paused_at is not None or around.queue.paused_at is not None or around.daemon.pressure:
        return False
    usual_us = SILENCE_FACTOR * max(1e6 / rate, job.mean_us or 0)
    if not job.retrying and around.now - job.updated_at > max(SILENCE_US, usual_us):
        return False
    return around.daemon.serves(job.id, foreground=bool(job.foreground))
