"""Reads jobs for status. Every query costs the same for ten items and for ten million.

Rows come back as they are stored; the services put them into words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from jobctl.domain.state_numbers import RETRYING
from jobctl.domain.texts import restored, shown
from jobctl.store.damage import mended
from jobctl.store.database import Database
from jobctl.store.sound import sound
from jobctl.store.sqlite import with_states
from jobctl.store.views.job_view import JobColumns


@contextmanager
def snapshot(database: Database) -> Iterator[None]:
    """Several reads that see one moment. Keep it short: a read transaction holds up the checkpointer."""
    database.execute("BEGIN")
    try:
        yield
    finally:
        database.execute("ROLLBACK")


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
    """A row with the harmless values of ``damage`` in place of what cannot be read: one bad row must not end a list."""
    values, damage = mended(dict(zip(_COLUMNS, row[:-1], strict=True)))
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
    """The newest jobs, for completion and suggestions."""
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
    dialect: dict[str, Any] = json.loads(mended({"input_dialect": stored})[0]["input_dialect"])
    return dialect


def results(database: Database, job: int) -> dict[str, Any] | None:
    """The manifest of a job's result files; None before they are written."""
    stored = database.scalar("SELECT results FROM jobs WHERE id = ?", (job,))
    manifest: dict[str, Any] | None = None if stored is None else json.loads(stored)
    return manifest


def latest_time(database: Database) -> int:
    """The latest moment at which a job was submitted or changed, microseconds; 0 without jobs."""
    query = (
        "SELECT max(max(updated_at), max(submitted_at)) FROM jobs"
        " WHERE typeof(updated_at) = 'integer' AND typeof(submitted_at) = 'integer'"  # other rows are damaged
    )
    return int(database.scalar(query) or 0)


def changed_at(database: Database) -> int:
    """The time of the last change of any job, in microseconds; 0 without jobs."""
    return int(database.scalar("SELECT max(updated_at) FROM jobs WHERE typeof(updated_at) = 'integer'") or 0)


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


class FailureView(NamedTuple):
    """A cause of failure."""

    id: int
    code: str
    message: str
    outcome: str
    retryable: int
    items: int
    attempts: int
    first_at: int
    last_at: int
    samples: str


def failures(database: Database, number: int) -> list[FailureView]:
    """The causes of a job (a bounded number), the cause of most failed items first."""
    rows = database.execute(
        "SELECT id, code, message, outcome, retryable, items, attempts, first_at, last_at, samples FROM failures"
        " WHERE job = ? ORDER BY items DESC, attempts DESC, id",
        (number,),
    )
    return [FailureView._make(sound(FailureView, row)) for row in rows]


class RunningView(NamedTuple):
    """An item that runs, or that was handed to an executor and has not started yet (then without a start)."""

    item: int
    attempt: int
    slot: int | None
    started_at: int | None
    pid: int | None
    payload: bytes  # its beginning
    host: str | None  # where, if not on this machine


_RUNNING = with_states(
    "SELECT i.item, i.attempt, a.slot, a.started_at, a.pid, substr(i.payload, 1, ?), a.host"
    " FROM items i INDEXED BY items_running"
    " LEFT JOIN attempts a ON a.job = i.job AND a.item = i.item AND a.attempt = i.attempt AND a.ending IS NULL"
    " WHERE i.job = ? AND i.state = {RUNNING} ORDER BY i.item LIMIT ?"
)


def running(database: Database, number: int, limit: int, payload: int) -> list[RunningView]:
    """The running items of a job, through their own index; of each row at most ``payload`` bytes."""
    rows = database.execute(_RUNNING, (payload, number, limit))
    return [RunningView._make(sound(RunningView, row)) for row in rows]


_STARTED_BY_JOB = with_states(
    "SELECT j.id, count(*) FROM jobs j INDEXED BY jobs_live"
    " JOIN items i INDEXED BY items_running ON i.job = j.id AND i.state = {RUNNING}"
    " JOIN attempts a ON a.job = i.job AND a.item = i.item AND a.attempt = i.attempt AND a.ending IS NULL"
    " WHERE j.finished_at IS NULL AND j.running > 0 AND a.started_at > 0 GROUP BY j.id"
)


def started_by_job(database: Database) -> dict[int, int]:
    """The number of running items that have started, by job, without those that an executor has ahead of a slot."""
    return dict(database.execute(_STARTED_BY_JOB).fetchall())


class DueRange(NamedTuple):
    """The times when the first and the last waiting item of a job are due for another attempt; None if none waits."""

    first: int | None
    last: int | None


def due_range(database: Database, number: int) -> DueRange:
    """The due times of the items of a job that wait for another attempt."""
    waiting = f"FROM items INDEXED BY items_due WHERE job = ?1 AND state = {RETRYING}"
    sql = f"SELECT (SELECT min(due_at) {waiting}), (SELECT max(due_at) {waiting})"
    return DueRange._make(sound(DueRange, database.one(sql, (number,))))


class QueueView(NamedTuple):
    """A named lane with settings of its own."""

    slots: int | None
    paused_at: int | None
    pause_reason: str
    rate: str | None
    tokens: float | None  # starts that the rate had left at ``tokens_at``
    tokens_at: int | None


def queue(database: Database, name: str) -> QueueView:
    """The settings of a queue; one without a row is open and has no limit of its own."""
    row = database.one(f"SELECT {', '.join(QueueView._fields)} FROM queues WHERE name = ?", (name,))  # noqa: S608 - names of fields
    return QueueView(None, None, "", None, None, None) if row is None else QueueView._make(sound(QueueView, row))


def running_by_job(database: Database) -> list[tuple[str, int, int]]:
    """(queue, job, attempts that an executor has) of every job that has some, most first."""
    return database.execute(
        "SELECT queue, id, running FROM jobs WHERE finished_at IS NULL AND running > 0 ORDER BY running DESC, id"
    ).fetchall()


def queue_loads(database: Database) -> dict[str, tuple[int, int, int]]:
    """(live jobs, items that wait, items that an executor has) by queue."""
    rows = database.execute(
        "SELECT queue, count(*), sum(queued + retrying), sum(running) FROM jobs"
        " WHERE finished_at IS NULL GROUP BY queue"
    )
    return {shown(restored(name)): (jobs, queued, running) for name, jobs, queued, running in rows}
