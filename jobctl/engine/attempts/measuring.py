"""Keeps the figures of a job that settled attempts change: pace, durations, course, absences of the command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jobctl.domain.figures import Slow
from jobctl.domain.ports import AttemptId, Finished
from jobctl.engine.attempts.batch import Batch
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.handlers.kinds import kind_of
from jobctl.store import figures
from jobctl.store.attempts import Causes
from jobctl.store.database import Database


class Settled(NamedTuple):
    """A batch that was settled, and its effects."""

    batch: Batch
    durations: list[int]  # of each attempt that ended, microseconds
    succeeded: int  # items
    failed: int  # items; attempts that are followed by another are not counted
    causes: Causes


def measure(database: Database, live: LiveJob, settled: Settled, now: int) -> None:
    """Keep the figures of a job, in the caller's transaction."""
    live.pace.add(len(settled.durations), sum(settled.durations))
    live.pace.processed(settled.succeeded + settled.failed, now)
    if settled.succeeded:
        live.absent_in_a_row = 0
    else:
        _count_absences(live, settled.batch.finished, settled.causes)
    _keep_figures(database, live, settled, now)


def _count_absences(live: LiveJob, finished: Sequence[Finished], causes: Causes) -> None:
    """Count the endings that say that the command does not exist."""
    absence = kind_of(live.row.handler).absence
    for f in finished:
        if absent := absence(f):
            live.absent_in_a_row += absent
            live.absent_message = causes[AttemptId(f.job, f.item, f.attempt)][1]


def _keep_figures(database: Database, live: LiveJob, settled: Settled, now: int) -> None:
    batch = settled.batch
    if batch.started:
        live.course.begin(min(s.started_at for s in batch.started.values()))
    begun = [f.started_at for f in batch.finished] + [made.records[0][2] for made in batch.calls]
    if begun:
        live.course.begin(min(begun))
        if max(settled.durations) > live.durations.slow_us:
            _keep_slowest(live, batch)
        live.durations.add(settled.durations)
        live.course.add(settled.succeeded, settled.failed, now)
        figures.save(database, live.id, live.durations, live.course)


def _keep_slowest(live: LiveJob, batch: Batch) -> None:
    slow_us = live.durations.slow_us
    slow = [Slow(f.duration_us, f.item, f.attempt) for f in batch.finished if f.duration_us > slow_us]
    slow += [Slow(r[3], r[0], r[1]) for made in batch.calls for r in made.records if r[3] > slow_us]
    if slow:
        live.durations.rank(slow)
