"""Selects jobs by a filter. No statement reads items, so the cost depends on the number of jobs alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from jobctl.domain.job_filter import JobFilter, JobList
from jobctl.domain.texts import restored, shown
from jobctl.store.database import Database
from jobctl.store.views.jobs import JobView, job

#: States in the order in which a person looks at jobs.
_URGENCY = ("running", "cancelling", "queued", "paused", "failed", "partial", "expired", "cancelled", "succeeded")
_BY_URGENCY = " ".join(f"WHEN '{state}' THEN {place}" for place, state in enumerate(_URGENCY))
#: The value that each order compares, and its direction. Jobs without a value come last, also in the reverse order.
_ORDERS = {
    "submitted": ("id", "DESC"),
    "finished": ("finished_at", "DESC"),
    "name": ("name", "ASC"),
    "queue": ("queue", "ASC"),
    "state": (f"CASE state {_BY_URGENCY} END", "ASC"),
    "items": ("total", "DESC"),
    "failed": ("failed", "DESC"),
    "progress": ("CASE WHEN total > 0 THEN 1.0 * (succeeded + failed) / total END", "DESC"),
    "eta": ("CASE WHEN finished_at IS NULL AND rate_per_s > 0 THEN (queued + running + retrying) / rate_per_s END", ""),
    "priority": ("priority", "DESC"),
}
_REVERSED = {"DESC": "ASC", "ASC": "DESC", "": "DESC"}
#: A row that is damaged has no labels, and does not end the list.
_HAS_LABEL = (
    "EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(labels) THEN labels ELSE '{}' END)"
    " WHERE json_each.key = ? AND json_each.value = ?)"
)


class ListedJob(NamedTuple):
    """A job as a person chooses it from a list."""

    id: int
    name: str
    state: str
    total: int
    left: int  # items that are not terminal
    submitted_at: int
    finished_at: int | None


def select(database: Database, listing: JobList, now: int, *, finished: int) -> list[JobView]:
    """The jobs of a list in its order; ``now`` in microseconds UTC, as the store counts it.

    Without a limit, the list has all jobs that are not done, and the first ``finished`` of the others.
    """
    numbers = [row[0] for row in database.execute(*_selected(listing, now, finished))]
    found = (job(database, number) for number in numbers)
    return [view for view in found if view is not None]


def count(database: Database, wanted: JobFilter, now: int) -> int:
    """The number of jobs that a filter selects."""
    where, values = _conditions(wanted, now)
    return int(database.scalar(f"SELECT count(*) FROM jobs WHERE {where}", values))  # noqa: S608


def numbers(database: Database, wanted: JobFilter, now: int) -> list[int]:
    """The numbers of all jobs that a filter selects, in ascending order."""
    where, values = _conditions(wanted, now)
    return [row[0] for row in database.execute(f"SELECT id FROM jobs WHERE {where} ORDER BY id", values)]  # noqa: S608


def of_name(database: Database, name: str) -> list[int]:
    """The numbers of all jobs of exactly this name, the newest first."""
    return [row[0] for row in database.execute("SELECT id FROM jobs WHERE name = ? ORDER BY id DESC", (name,))]


def listed(database: Database, jobs: Iterable[int]) -> list[ListedJob]:
    """These jobs as far as they exist, in the order given."""
    sql = "SELECT id, name, state, total, queued + running + retrying, submitted_at, finished_at FROM jobs WHERE id = ?"
    rows = (database.one(sql, (number,)) for number in jobs)
    return [ListedJob(row[0], shown(restored(row[1])), *row[2:]) for row in rows if row is not None]


def _selected(listing: JobList, now: int, finished: int) -> tuple[str, tuple[Any, ...]]:
    where, values = _conditions(listing.filter, now)
    value, direction = _ORDERS[listing.sort]
    direction = _REVERSED[direction] if listing.reverse else direction
    newest = "ASC" if listing.reverse else "DESC"
    order = f"ORDER BY id {newest}" if value == "id" else f"ORDER BY value IS NULL, value {direction}, id {newest}"
    if listing.limit is not None or listing.everything:
        jobs = _jobs(value, where)
        return f"{jobs} {order} LIMIT ?", (*values, -1 if listing.limit is None else listing.limit)
    # Few jobs are live, so their own index is the quickest for all conditions.
    live = _jobs(value, f"finished_at IS NULL AND {where}", "INDEXED BY jobs_live")
    done = f"{_jobs(value, f'finished_at IS NOT NULL AND {where}')} {order} LIMIT ?"
    return f"SELECT id, value FROM ({live} UNION ALL SELECT * FROM ({done})) {order}", (*values, *values, finished)  # noqa: S608


def _jobs(value: str, where: str, index: str = "") -> str:
    return f"SELECT id, {value} AS value FROM jobs {index} WHERE {where}"  # noqa: S608 - texts of this module


def _conditions(wanted: JobFilter, now: int) -> tuple[str, Sequence[Any]]:
    """The condition of SQL, with its values."""
    parts, values = ["1"], list[Any]()

    def add(part: str, *more: Any) -> None:
        parts.append(part)
        values.extend(more)

    if wanted.states:
        add(f"state IN ({', '.join('?' * len(wanted.states))})", *wanted.states)
    if wanted.name is not None:
        add("name GLOB ?", wanted.name.replace("[!", "[^"))
    for label in wanted.labels:
        add(_HAS_LABEL, *label)
    if wanted.queue is not None:
        add("queue = ?", wanted.queue)
    if wanted.since_us is not None:
        add("submitted_at >= ?", now - wanted.since_us)
    return " AND ".join(parts), tuple(values)
