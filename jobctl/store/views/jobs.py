"""Reads jobs for status. Every query costs the same for ten items and for ten million.

Rows come back as they are stored; the services put them into words.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from jobctl.domain.texts import restored, shown
from jobctl.store.damage import repaired
from jobctl.store.database import Database
from jobctl.store.views.job_view import JobColumns


class JobView(JobColumns):
    """A job as it is stored."""

    __slots__ = ()

    @property
    def is_done(self) -> bool:
        """True if the round is closed."""
        return self.finished_at is not None

    @property
    def live(self) -> int:
        """Items that are not terminal."""
        return self.queued + self.running + self.retrying

    @property
    def processed(self) -> int:
        """Items with an outcome."""
        return self.succeeded + self.failed


_COLUMNS = JobView._fields[:-1]
#: Columns that only the engine reads and that may be long: SQLite checks that they are JSON of the right kind.
_UNREAD = (("env", "object"), ("env_names", "array"), ("work_options", "object"), ("input_dialect", "object"))
_BROKEN = " || ".join(
    f"CASE WHEN CASE WHEN json_valid({name}) THEN json_type({name}) END = '{kind}' THEN ''"
    f" ELSE '; {name} is not an {kind}' END"
    for name, kind in _UNREAD
)
_SELECT_JOB = f"SELECT {', '.join(_COLUMNS)}, {_BROKEN} FROM jobs"  # noqa: S608 - column names of this module


def _view(row: Sequence[Any]) -> JobView:
    """A row with the harmless values of ``damage`` in place of bad ones: one bad row must not end a list."""
    values, damage = repaired(dict(zip(_COLUMNS, row[:-1], strict=True)))
    return JobView(**values, damage=f"{damage}{row[-1]}".removeprefix("; "))


def job(database: Database, number: int) -> JobView | None:
    """Load one job; None if it does not exist."""
    row = database.one(f"{_SELECT_JOB} WHERE id = ?", (number,))
    return None if row is None else _view(row)


def jobs(database: Database, *, finished: int | None) -> list[JobView]:
    """Every live job and the ``finished`` newest others (None = all), newest first."""
    live = [_view(row) for row in database.execute(f"{_SELECT_JOB} WHERE finished_at IS NULL ORDER BY id DESC")]
    limit = -1 if finished is None else finished
    done = [
        _view(row)
        for row in database.execute(
            f"{_SELECT_JOB} WHERE finished_at IS NOT NULL ORDER BY id DESC LIMIT ?",
            (limit,),
        )
    ]
    return sorted(live + done, key=lambda view: -view.id)


def job_total(database: Database) -> int:
    """The number of jobs."""
    return int(database.scalar("SELECT count(*) FROM jobs"))


class JobName(NamedTuple):
    """The columns that name a job."""

    id: int
    name: str
    state: str


def job_names(database: Database, limit: int) -> list[JobName]:
    """The newest jobs, to suggest a name for one that does not exist."""
    rows = database.execute("SELECT id, name, state FROM jobs ORDER BY id DESC LIMIT ?", (limit,))
    return [JobName(number, shown(restored(name)), state) for number, name, state in rows]


def exists(database: Database, job: int) -> bool:
    """True if the job exists."""
    return database.scalar("SELECT 1 FROM jobs WHERE id = ?", (job,)) is not None


def is_for_foreground(database: Database, job: int) -> bool:
    """True if a ``jobctl run`` runs the job."""
    return bool(database.scalar("SELECT foreground FROM jobs WHERE id = ?", (job,)))


def input_dialect(database: Database, job: int) -> dict[str, Any]:
    """The way in which a job's input was read; of a damaged row, the part that is readable."""
    stored = database.scalar("SELECT input_dialect FROM jobs WHERE id = ?", (job,)) or "{}"
    dialect: dict[str, Any] = json.loads(repaired({"input_dialect": stored})[0]["input_dialect"])
    return dialect


def results(database: Database, job: int) -> dict[str, Any] | None:
    """The manifest of a job's result files; None before they are written, empty if it is damaged."""
    stored = database.scalar("SELECT results FROM jobs WHERE id = ?", (job,))
    if stored is None:
        return None
    manifest: dict[str, Any] = json.loads(repaired({"results": stored})[0]["results"])
    return manifest


def latest_time(database: Database) -> int:
    """The latest moment at which a job was submitted or changed, microseconds; 0 without jobs."""
    query = (
        "SELECT max(max(updated_at), max(submitted_at)) FROM jobs"
        " WHERE typeof(updated_at) = 'integer' AND typeof(submitted_at) = 'integer'"  # other rows are damaged
    )
    return int(database.scalar(query) or 0)


def newest_job(database: Database, name: str | None = None) -> int | None:
    """Number of the newest job (of that name)."""
    if name is None:
        found = database.scalar("SELECT max(id) FROM jobs")
    else:
        found = database.scalar("SELECT max(id) FROM jobs WHERE name = ?", (name,))
    return None if found is None else int(found)


def job_of_uid(database: Database, uid: str) -> int | None:
    """Number of the job with this uid, if it is still there."""
    found = database.scalar("SELECT id FROM jobs WHERE uid = ?", (uid,))
    return None if found is None else int(found)


def has_others_of_name(database: Database, job: JobView) -> bool:
    """True if other jobs of its name have rows with keys: another round leaves out the rows that they have or did."""
    sql = "SELECT 1 FROM jobs WHERE name = ? AND id <> ? AND item_key IS NOT NULL LIMIT 1"
    return database.scalar(sql, (job.name, job.id)) is not None


def states(database: Database, numbers: Sequence[int]) -> dict[int, tuple[str, int]]:
    """(state, revision) of these jobs."""
    found = {}
    for number in numbers:
        row = database.one("SELECT state, revision FROM jobs WHERE id = ?", (number,))
        if row is not None:
            found[number] = (str(row[0]), int(row[1]))
    return found


class Load(NamedTuple):
    """The work of all live jobs together."""

    jobs: int
    queued: int
    running: int


def load(database: Database) -> Load:
    """Count the live jobs, their items that wait, and their items that an executor has."""
    row = database.one(
        "SELECT count(*), coalesce(sum(queued + retrying), 0), coalesce(sum(running), 0) FROM jobs INDEXED BY jobs_live"
        " WHERE finished_at IS NULL"
    )
    return Load._make(row)


def total_rate(database: Database) -> float | None:
    """Items processed per second by the jobs that have running items, as last smoothed; None if no job has any."""
    found = database.scalar(
        "SELECT sum(rate_per_s) FROM jobs INDEXED BY jobs_live WHERE finished_at IS NULL AND running > 0"
    )
    return None if found is None else float(found)


def labels(database: Database, number: int) -> dict[str, str]:
    """The labels of a job; empty if they cannot be read."""
    text = database.scalar("SELECT labels FROM jobs WHERE id = ?", (number,))
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def resubmitted_as(database: Database, uid: str, limit: int) -> list[int]:
    """The newest jobs that were made from rows of the job with this uid, lowest number first."""
    sql = "SELECT id FROM jobs WHERE resubmit_of = ? ORDER BY id DESC LIMIT ?"
    return sorted(row[0] for row in database.execute(sql, (uid, limit)))
