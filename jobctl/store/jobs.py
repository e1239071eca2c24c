"""Inserts, loads and changes the rows of jobs. Counters change in the transaction that changes the items."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jobctl.domain.policy import Policy
from jobctl.domain.states import Counts, JobState, Stop
from jobctl.domain.texts import is_text, stored
from jobctl.store.damage import repaired
from jobctl.store.database import Database
from jobctl.store.job_row import JSON_COLUMNS, JobRow

_COUNTED = ("queued", "running", "retrying", "succeeded", "failed", "unprocessed")


_FIELDS = [name for name in JobRow.__dataclass_fields__ if name not in ("counts", "damage")]
_COUNT_FIELDS = list(Counts.__dataclass_fields__)
_SELECT = f"SELECT {', '.join(_FIELDS + _COUNT_FIELDS)} FROM jobs"  # noqa: S608 - column names of this module


def job_row(row: Any) -> JobRow:
    """Decode a row of ``live_rows``; of a damaged row, all that can be read."""
    values, damage = repaired(dict(zip(_FIELDS, row, strict=False)))
    values["damage"] = damage
    for name in JSON_COLUMNS:
        values[name] = json.loads(values[name])
    values["policy"] = Policy.from_json(json.loads(values["policy"]))
    values["state"] = JobState(values["state"])
    values["stop"] = None if values["stop"] is None else Stop(values["stop"])
    return JobRow(counts=Counts(*row[len(_FIELDS) :]), **values)


def load(database: Database, job: int) -> JobRow | None:
    """Load one job; None if it does not exist."""
    row = database.one(f"{_SELECT} WHERE id = ?", (job,))
    return None if row is None else job_row(row)


def load_live(database: Database) -> list[JobRow]:
    """Every job whose round is not closed, oldest first."""
    return [job_row(row) for row in live_rows(database).values()]


def live_rows(database: Database) -> dict[int, tuple[Any, ...]]:
    """Every job whose round is not closed, by number and not decoded: the engine decodes only those that changed."""
    return {row[0]: row for row in database.execute(f"{_SELECT} WHERE finished_at IS NULL ORDER BY id")}


def state(database: Database, job: int) -> str | None:
    """The state of a job; None if it does not exist."""
    found = database.scalar("SELECT state FROM jobs WHERE id = ?", (job,))
    return None if found is None else str(found)


def is_live(database: Database, job: int) -> bool:
    """True if the job exists and its round is not closed."""
    return bool(database.scalar("SELECT finished_at IS NULL FROM jobs WHERE id = ?", (job,)))


def revision(database: Database, job: int) -> int | None:
    """The number of changes of a job; None if the job does not exist."""
    found = database.scalar("SELECT revision FROM jobs WHERE id = ?", (job,))
    return None if found is None else int(found)


def reason(database: Database, job: int) -> str:
    """The reason of the stop that cut the job short; empty without one."""
    return str(database.scalar("SELECT reason FROM jobs WHERE id = ?", (job,)) or "")


def lower_cursor(database: Database, job: int, item: int) -> None:
    """Let the next claim of a job look at this item again, which is queued once more."""
    database.execute("UPDATE jobs SET cursor = min(cursor, ?) WHERE id = ?", (item, job))


def reserve(database: Database) -> int:
    """A number that no other job will ever have."""
    database.execute(
        "INSERT INTO sqlite_sequence SELECT 'jobs', 0"
        " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'jobs')"
    )
    return int(database.scalar("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'jobs' RETURNING seq"))


def insert(database: Database, values: Mapping[str, Any]) -> int:
    """Add a job; dictionaries, lists and tuples are stored as JSON. Returns its number."""
    encoded = {name: _encoded(value) for name, value in values.items()}
    columns = ", ".join(encoded)
    marks = ", ".join("?" * len(encoded))
    cursor = database.execute(f"INSERT INTO jobs ({columns}) VALUES ({marks})", tuple(encoded.values()))  # noqa: S608
    return int(cursor.lastrowid or 0)


def _encoded(value: Any) -> Any:
    """A value in the form of its column. Text that is not UTF-8 is kept byte for byte, in JSON as escapes."""
    if isinstance(value, dict | list | tuple):
        text = json.dumps(value, ensure_ascii=False)
        return text if is_text(text) else json.dumps(value)
    return stored(value) if isinstance(value, str) else value


def update(database: Database, job: int, **values: Any) -> None:
    """Set columns of a job; every change counts up its revision."""
    assignments = ", ".join(f"{name} = ?" for name in values)
    database.execute(
        f"UPDATE jobs SET {assignments}, revision = revision + 1 WHERE id = ?",  # noqa: S608 - names come from code
        (*values.values(), job),
    )


def add_counts(database: Database, job: int, deltas: Mapping[str, int], **values: Any) -> None:
    """Add to the counters of a job, and set other columns in the same statement."""
    changes = [f"{name} = {name} + ?" for name in deltas] + [f"{name} = ?" for name in values]
    database.execute(
        f"UPDATE jobs SET {', '.join(changes)}, revision = revision + 1 WHERE id = ?",  # noqa: S608
        (*deltas.values(), *values.values(), job),
    )


def paused(row: JobRow, now: int) -> dict[str, int]:
    """The new counters of time if a pause ends now; empty if the job is not paused.

    All pauses are subtracted from the active time together, so ``active_us`` includes them: those of earlier rounds,
    and one from before the start of this round.
    """
    if row.paused_at is None:
        return {}
    pause_us = max(0, now - row.paused_at)
    return {"paused_us": pause_us, "active_us": pause_us if row.started_at is None else 0}


def recount(database: Database, job: int) -> dict[str, int]:
    """The counters of items, counted by a scan of the items; for verification only."""
    found = dict(database.execute("SELECT state, count(*) FROM items WHERE job = ? GROUP BY state", (job,)).fetchall())
    return {name: found.get(number, 0) for number, name in enumerate(_COUNTED)}


def root_uid(database: Database, resubmit_of: str) -> str:
    """The uid of the first job of a lineage, for a job made from a result file, as far back as the store knows."""
    return str(database.scalar("SELECT root_uid FROM jobs WHERE uid = ?", (resubmit_of,)) or resubmit_of)


def has_keys(database: Database, uid: str | None) -> bool:
    """True if that job still exists and its rows have keys of their own."""
    return uid is not None and database.scalar("SELECT item_key FROM jobs WHERE uid = ?", (uid,)) is not None


def newest_with_keys(database: Database, name: str, excluded: int) -> JobRow | None:
    """The newest other job of a name whose rows have keys of their own."""
    row = database.one(
        f"{_SELECT} WHERE name = ? AND item_key IS NOT NULL AND id <> ? ORDER BY id DESC LIMIT 1", (name, excluded)
    )
    return None if row is None else job_row(row)


def live_with(database: Database, fingerprint: str, excluded: int) -> int | None:
    """The number of another live job with the same work."""
    sql = "SELECT id FROM jobs WHERE fingerprint = ? AND finished_at IS NULL AND id != ?"
    found = database.scalar(sql, (fingerprint, excluded))
    return None if found is None else int(found)


def by_key(database: Database, key: str) -> JobRow | None:
    """The job that owns an idempotency key."""
    row = database.one(f"{_SELECT} WHERE key = ?", (key,))
    return None if row is None else job_row(row)
