"""Keeps the outbox: notifications to deliver, with every attempt. Each function works in the caller's transaction.

While a pending delivery has no time for its next attempt, an attempt is under way. The beginning of an attempt is
committed before the notification is sent.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jobctl.config import find_home
from jobctl.domain.notify import DeliveryState, Reply, Verdict
from jobctl.domain.texts import restored, stored
from jobctl.store import jobs
from jobctl.store.damage import repaired
from jobctl.store.database import Database

#: The result of an attempt whose engine ended before it did.
INTERRUPTED = "cut off: the daemon ended during this attempt"


class NewTarget(NamedTuple):
    """A receiver of the ends of a job's rounds."""

    kind: str  # name of the channel
    target: str
    secret_env: str | None = None
    secret_file: str | None = None
    allow_http: bool = False


class Sending(NamedTuple):
    """An attempt that has begun, with everything that sending it needs."""

    delivery: str
    attempt: int
    free: int
    job: int
    event: str
    body: bytes
    target_id: int
    kind: str  # name of the channel
    target: str
    secret_env: str | None
    secret_file: str | None
    allow_http: bool
    cwd: str
    env: dict[str, str]
    env_names: list[str]
    env_file: str | None

    @property
    def counted_attempts(self) -> int:
        """The attempts so far that count against the schedule, this one included."""
        return self.attempt - self.free


def add_targets(database: Database, job: int, targets: Sequence[NewTarget]) -> None:
    """Add receivers of the ends of a job's rounds."""
    database.executemany(
        "INSERT INTO targets (job, kind, target, secret_env, secret_file, allow_http) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                job,
                t.kind,
                stored(t.target),
                t.secret_env,
                t.secret_file and stored(t.secret_file),
                int(t.allow_http),
            )
            for t in targets
        ],
    )


def enqueue(database: Database, job: int, body: bytes, now: int) -> int:
    """Write a delivery for every target of a job that ends in this transaction. Returns the number of deliveries.

    ``body`` is the event about the end. A second call changes nothing.
    """
    targets = database.execute("SELECT id, disabled_at FROM targets WHERE job = ? ORDER BY id", (job,)).fetchall()
    if not targets:
        return 0
    import uuid  # few jobs notify anybody, and these modules take 10 ms to load

    from jobctl.domain.event import end_type

    row = jobs.load(database, job)
    assert row is not None
    rows = []
    for target, disabled_at in targets:
        state, next_at = (DeliveryState.PENDING, now) if disabled_at is None else (DeliveryState.DISABLED, None)
        event = end_type(row.state)
        rows.append((f"msg_{uuid.uuid4()}", job, row.round, target, event, body, state.value, next_at, now))
    return database.executemany(
        "INSERT OR IGNORE INTO deliveries (id, job, round, target, event, body, state, next_at, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    ).rowcount


def program_for(root: Path) -> str:
    """The command that reaches this store from a shell without our options and environment."""
    if os.environ.get("JOBCTL_HOME") is None and find_home().root == root:
        return "jobctl"
    return f"jobctl --home {shlex.quote(str(root))}"


def next_due(database: Database, job: int | None = None) -> int | None:
    """The time when the next attempt (of a job, or of any) is due, in microseconds; None if no attempt is due."""
    if job is None:
        found = database.scalar("SELECT min(next_at) FROM deliveries WHERE next_at IS NOT NULL")
    else:
        found = database.scalar("SELECT min(next_at) FROM deliveries WHERE job = ? AND next_at IS NOT NULL", (job,))
    return None if found is None else int(found)


def begin_due(database: Database, now: int, limit: int) -> list[Sending]:
    """Begin an attempt of each delivery that is due, longest overdue first."""
    due = database.execute(
        "SELECT id FROM deliveries WHERE next_at <= ? ORDER BY next_at, job, target LIMIT ?", (now, limit)
    ).fetchall()
    return [_begin(database, row[0], now) for row in due]


def _begin(database: Database, delivery: str, now: int) -> Sending:
    database.execute("UPDATE deliveries SET attempts = attempts + 1, next_at = NULL WHERE id = ?", (delivery,))
    database.execute(
        "INSERT INTO delivery_attempts (delivery, attempt, started_at) SELECT id, attempts, ? FROM deliveries"
        " WHERE id = ?",
        (now, delivery),
    )
    row = list(
        database.one(
            "SELECT d.id, d.attempts, d.free, d.job, d.event, d.body, t.id, t.kind, t.target, t.secret_env,"
            " t.secret_file, t.allow_http, j.cwd, j.env, j.env_names, j.env_file"
            " FROM deliveries d JOIN targets t ON t.id = d.target JOIN jobs j ON j.id = d.job WHERE d.id = ?",
            (delivery,),
        )
    )
    row[8], row[10] = restored(row[8]), row[10] and restored(row[10])
    of_job, _ = repaired(dict(zip(("cwd", "env", "env_names", "env_file"), row[12:], strict=True)))
    env, names = json.loads(of_job["env"]), json.loads(of_job["env_names"])
    row[12:] = [of_job["cwd"], env, names, of_job["env_file"]]
    row[7], row[11] = str(row[7]), bool(row[11])
    return Sending(*row)


def settle(database: Database, sending: Sending, reply: Reply, verdict: Verdict, now: int) -> bool:
    """Record the end of an attempt. Returns False, and changes nothing, if it was ended before."""
    changed = database.execute(
        "UPDATE delivery_attempts SET duration_us = ?, status = ?, error = ?, response = ?"
        " WHERE delivery = ? AND attempt = ? AND duration_us IS NULL",
        (reply.duration_us, reply.status, reply.error, reply.response, sending.delivery, sending.attempt),
    ).rowcount
    if not changed:
        return False
    database.execute(
        "UPDATE deliveries SET state = ?, next_at = ?, settled_at = ?, result = ? WHERE id = ?",
        (
            verdict.state.value,
            verdict.next_at,
            None if verdict.next_at is not None else now,
            verdict.result,
            sending.delivery,
        ),
    )
    if verdict.state is DeliveryState.DISABLED:
        _disable(database, sending.target_id, now)
    return True


def _disable(database: Database, target: int, now: int) -> None:
    """Send nothing to a target any longer, including deliveries that wait for their next attempt."""
    database.execute("UPDATE targets SET disabled_at = ? WHERE id = ?", (now, target))
    database.execute(
        "UPDATE deliveries SET state = 'disabled', next_at = NULL, settled_at = ?"
        " WHERE target = ? AND next_at IS NOT NULL",
        (now, target),
    )


def recover(database: Database, now: int) -> int:
    """Make deliveries due at once whose attempts an earlier engine did not complete. Returns their number."""
    cut_off = database.execute("SELECT id FROM deliveries WHERE state = 'pending' AND next_at IS NULL").fetchall()
    database.executemany(
        "UPDATE delivery_attempts SET duration_us = max(0, ? - started_at), error = ?"
        " WHERE delivery = ? AND duration_us IS NULL",
        [(now, INTERRUPTED, row[0]) for row in cut_off],
    )
    database.executemany(
        "UPDATE deliveries SET next_at = ?, result = ? WHERE id = ?", [(now, INTERRUPTED, row[0]) for row in cut_off]
    )
    return len(cut_off)


def send_again(database: Database, delivery: str, now: int) -> None:
    """Start the schedule of a delivery again, with the same id and body, whatever its state."""
    database.execute(
        "UPDATE targets SET disabled_at = NULL WHERE id = (SELECT target FROM deliveries WHERE id = ?)", (delivery,)
    )
    database.execute(
        "UPDATE deliveries SET state = 'pending', free = attempts, next_at = ?, settled_at = NULL WHERE id = ?",
        (now, delivery),
    )
