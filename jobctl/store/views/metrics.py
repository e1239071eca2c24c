"""Reads sums over all jobs. Every job is read, but no items."""

from __future__ import annotations

from typing import NamedTuple

from jobctl.domain.states import JobState
from jobctl.store.database import Database

_COUNTS = "queued, running, retrying, succeeded, failed, unprocessed"


def jobs_by_state(database: Database) -> dict[str, int]:
    """The number of jobs in each state; a state without jobs is left out."""
    return {str(state): int(count) for state, count in database.execute("SELECT state, count(*) FROM jobs GROUP BY 1")}


def items_by_state(database: Database) -> tuple[list[int], list[int]]:
    """Items of live jobs, and of all, in the order of ``ItemState``."""
    sums = ", ".join(f"coalesce(sum({name}), 0)" for name in _COUNTS.split(", "))
    live = database.one(f"SELECT {sums} FROM jobs INDEXED BY jobs_live WHERE finished_at IS NULL")  # noqa: S608
    stored = database.one(f"SELECT {sums} FROM jobs")  # noqa: S608
    return list(live or ()), list(stored or ())


def attempts(database: Database) -> int:
    """Attempts that ended."""
    return int(database.scalar("SELECT coalesce(sum(attempts), 0) FROM jobs"))


def failures_by_code(database: Database) -> list[tuple[str, int]]:
    """Failed attempts by the code of their cause."""
    count = "CAST(total(CAST(attempts AS INTEGER)) AS INTEGER)"  # damaged rows included, whose sum may overflow
    rows = database.execute(f"SELECT code, {count} FROM failures GROUP BY code ORDER BY code")  # noqa: S608
    return [(str(code), int(count)) for code, count in rows]


class Oldest(NamedTuple):
    """Points in time, microseconds; None where there is no such job."""

    submitted: int | None  # of the oldest live job
    updated: int | None  # of the running job that made no progress for longest
    finished: int | None  # of the job that ended last


def oldest(database: Database) -> Oldest:
    """The times from which ages are counted."""
    live = "FROM jobs INDEXED BY jobs_live WHERE finished_at IS NULL"
    return Oldest(
        database.scalar(f"SELECT min(submitted_at) {live}"),
        database.scalar(f"SELECT min(updated_at) {live} AND state = ?", (JobState.RUNNING.value,)),
        database.scalar("SELECT max(finished_at) FROM jobs"),
    )
