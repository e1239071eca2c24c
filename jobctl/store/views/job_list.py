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
#: The jobs of one page of a list without a limit.
MOST_ON_PAGE = 100
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


class Place(NamedTuple):
    """A place in a list: the value that its order compares, and the number of the job there."""

    value: str | bytes | float | None  # bytes: a name that is not UTF-8, in a damaged row
    job: int


def select(database: Database, listing: JobList, now: int, *, finished: int) -> list[JobView]:
    """The jobs of a list in its order; ``now`` in microseconds UTC, as the store counts it.

    Without a limit, the list has all jobs that are not done, and the first ``finished`` of the others.
    """
    numbers = [row[0] for row in database.execute(*_selected(listing, now, finished))]
    found = (job(database, number) for number in numbers)
    return [view for view in found if view is not None]


def page(
    database: Database, listing: JobList, now: int, after: Place | None = None
) -> tuple[list[JobView], Place | None]:
    """The next jobs of a list with a limit, after a place in its order; and the place of the last one if more follow.

    Without a place the list begins with its first job. Jobs that come or change meanwhile neither repeat nor hide
    another one. ``now`` in microseconds UTC, as the store counts it.
    """
    size = listing.limit or MOST_ON_PAGE
    value, direction, newest = _order(listing)
    where, values = _conditions(listing.filter, now)
    beyond, more = ("1", ()) if after is None else _beyond(after, direction, newest)
    order = f"value IS NULL, value {direction}, id {newest}"
    sql = f"SELECT id, value FROM ({_jobs(value, where)}) WHERE {beyond} ORDER BY {order} LIMIT ?"  # noqa: S608
    rows = database.execute(sql, (*values, *more, size + 1)).fetchall()
    found = (job(database, row[0]) for row in rows[:size])
    last = Place(rows[size - 1][1], rows[size - 1][0]) if len(rows) > size else None
    return [view for view in found if view is not None], last


def _beyond(after: Place, direction: str, newest: str) -> tuple[str, tuple[Any, ...]]:
    """The condition for jobs behind a place; those without a value come last."""
    later = "<" if newest == "DESC" else ">"
    if after.value is None:
        return f"value IS NULL AND id {later} ?", (after.job,)
    further = "<" if direction == "DESC" else ">"
    return (
        f"(value IS NULL OR value {further} ? OR (value = ? AND id {later} ?))",
        (after.value, after.value, after.job),
    )


def count(database: Database, wanted: JobFilter, now: int) -> int:
    """The number of jobs that a filter selects."""
    where, values = _conditions(wanted, now)
    return int(database.scalar(f"SELECT count(*) FROM jobs WHERE {where}", values))  # noqa: S608


def numbers(database: Database, wanted: JobFilter, now: int) -> list[int]:
    """The numbers of all jobs that a filter selects, in ascending order."""
    where, values = _conditions(wanted, now)
    return [row[0] for row in database.execute(f"SELECT id FROM jobs WHERE {where} ORDER BY id", values)]  # noqa: S608


def fits(database: Database, wanted: JobFilter, job: int) -> bool:
    """Whether a job meets the conditions of a filter, except that of the time when it was submitted."""
    where, values = _conditions(wanted._replace(since_us=None), 0)
    return database.scalar(f"SELECT 1 FROM jobs WHERE id = ? AND {where}", (job, *values)) is not None  # noqa: S608


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
    value, direction, newest = _order(listing)
    order = f"ORDER BY id {newest}" if value == "id" else f"ORDER BY value IS NULL, value {direction}, id {newest}"
    if listing.limit is not None or listing.everything:
        jobs = _jobs(value, where)
        return f"{jobs} {order} LIMIT ?", (*values, -1 if listing.limit is None else listing.limit)
    # Few jobs are live, so their own index is the quickest for all conditions.
    live = _jobs(value, f"finished_at IS NULL AND {where}", "INDEXED BY jobs_live")
    done = f"{_jobs(value, f'finished_at IS NOT NULL AND {where}')} {order} LIMIT ?"
    return f"SELECT id, value FROM ({live} UNION ALL SELECT * FROM ({done})) {order}", (*values, *values, finished)  # noqa: S608


def _order(listing: JobList) -> tuple[str, str, str]:
    """The value that a list compares, its direction, and that of the numbers of jobs with the same value."""
    value, direction = _ORDERS[listing.sort]
    return value, _REVERSED[direction] if listing.reverse else direction, "ASC" if listing.reverse else "DESC"


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
    if wanted.owner is not None:
        add("owner = ?", wanted.owner)
    return " AND ".join(parts), tuple(values)
