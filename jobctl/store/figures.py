"""Reads and writes the figures of jobs. The engine writes them with every batch that settles; ``status`` reads them.

They have a table of their own, so that the rows of jobs, which every command reads and every commit writes, stay short.
"""

from __future__ import annotations

import json

from jobctl.domain.figures import Course, Durations
from jobctl.store.database import Database


def durations(database: Database, job: int) -> Durations:
    """The durations of a job's attempts; empty if none has ended."""
    text = database.scalar("SELECT durations FROM figures WHERE job = ?", (job,))
    try:
        return Durations() if text is None else Durations.from_json(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError):  # figures that cannot be read must not stop the engine
        return Durations()


def course(database: Database, job: int, round: int) -> Course:
    """The course of that round; empty if only earlier rounds stored one."""
    text = database.scalar("SELECT course FROM figures WHERE job = ?", (job,))
    try:
        found = Course(round) if text is None else Course.from_json(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError):
        found = Course(round)
    return found if found.round == round else Course(round)


def save(database: Database, job: int, durations: Durations, course: Course) -> None:
    """Write the durations and the course, in the caller's transaction."""
    texts = [json.dumps(figures.to_json(), separators=(",", ":")) for figures in (durations, course)]
    database.execute(
        "INSERT INTO figures (job, durations, course) VALUES (?, ?, ?)"
        " ON CONFLICT (job) DO UPDATE SET durations = excluded.durations, course = excluded.course",
        (job, *texts),
    )
