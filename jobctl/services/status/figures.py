"""What a status document says about durations and throughput: figures that were kept, nothing is counted here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobctl.domain.durations import format_time, seconds
from jobctl.store import figures
from jobctl.store.database import Database
from jobctl.store.views.jobs import JobView

if TYPE_CHECKING:
    from jobctl.domain.documents.status_blocks import DurationsBlock, ThroughputBlock


def duration_summary(database: Database, job: JobView) -> DurationsBlock:
    """The ``durations`` block, in seconds: of all attempts that ended, all rounds; null before the first."""
    kept = figures.durations(database, job.id)
    mean_us = kept.total_us / kept.count if kept.count else None
    return {
        "attempts": kept.count,
        "p50_s": _seconds(kept.percentile_us(0.5)),
        "p95_s": _seconds(kept.percentile_us(0.95)),
        "max_s": seconds(kept.max_us) if kept.count else None,
        "mean_s": _seconds(mean_us),
        "slowest": [
            {"item": slow.item, "attempt": slow.attempt, "duration_s": seconds(slow.duration_us)}
            for slow in kept.slowest
        ],
    }


def throughput(database: Database, job: JobView, now: int) -> ThroughputBlock | None:
    """The ``throughput`` block: items that got their outcome in each span of the present round; None before any.

    Spans of ``bucket_s`` follow one another from ``from_at`` to the end of the round or to this moment, so that a
    standstill shows; the last one may be shorter.
    """
    course = figures.course(database, job.id, job.round)
    if not course.succeeded:
        return None
    until = max(job.finished_at or now, course.from_at)
    course.add(0, 0, until)
    return {
        "round": course.round,
        "from_at": format_time(course.from_at),
        "until_at": format_time(until),
        "bucket_s": course.bucket_us / 1e6,
        "succeeded": course.succeeded,
        "failed": course.failed,
    }


def _seconds(us: float | None) -> float | None:
    return None if us is None else float(f"{us / 1e6:.4g}")
