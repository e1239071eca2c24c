"""What a status document says about durations and throughput: figures that were kept, nothing is counted here."""

from __future__ import annotations

from typing import Any

from jobctl.domain.durations import format_time
from jobctl.domain.figures import Course
from jobctl.store import figures
from jobctl.store.database import Database
from jobctl.store.views import JobView


def duration_summary(database: Database, job: JobView) -> dict[str, Any]:
    """The ``durations`` block, in seconds: of all attempts that ended, all rounds; null before the first."""
    kept = figures.durations(database, job.id)
    mean_us = kept.total_us / kept.count if kept.count else None
    return {
        "attempts": kept.count,
        "p50_s": _seconds(kept.percentile_us(0.5)),
        "p95_s": _seconds(kept.percentile_us(0.95)),
        "max_s": _seconds(kept.max_us if kept.count else None),
        "mean_s": _seconds(mean_us),
    }


def throughput(database: Database, job: JobView, now: int) -> dict[str, Any] | None:
    """The ``throughput`` block: items that got their outcome in each span of the present round; None before any."""
    course = course_of(database, job, now)
    return course_document(course) if course.succeeded else None


def course_of(database: Database, job: JobView, now: int) -> Course:
    """The course of the present round up to its end or to this moment, so that a standstill shows."""
    course = figures.course(database, job.id, job.round)
    if course.succeeded:
        course.add(0, 0, job.finished_at or now)
    return course


def course_document(course: Course) -> dict[str, Any]:
    """A course as documents have it: spans of ``bucket_s`` one after the other from ``from_at`` on."""
    return {
        "round": course.round,
        "from_at": format_time(course.from_at),
        "bucket_s": course.bucket_us / 1e6,
        "succeeded": course.succeeded,
        "failed": course.failed,
    }


def _seconds(us: float | None) -> float | None:
    return None if us is None else float(f"{us / 1e6:.4g}")
