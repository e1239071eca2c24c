"""The clock to which all times of a store refer.

Times are stored as microseconds of the wall clock, and a person may set that clock. Durations (a deadline, a backoff, a
pause) must not change because of it. So the store also keeps one reading of the wall clock and the steady clock
together. A process that is about to write times calls ``follow`` first. The first process that sees that the wall clock
was set moves all stored times, once, and stores the new reading in the same transaction; the others see that reading.

Afterwards a job is as if the wall clock had always been right: its age, its pauses and the time until its deadline
stay the same. A point in time that a person gave (``--not-before 22:00``, ``--deadline 18:00``) does not move.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from jobctl.domain.durations import is_time
from jobctl.domain.handler_kinds import KINDS
from jobctl.domain.state_numbers import RETRYING
from jobctl.process.moment import Moment, on_the_machine
from jobctl.store import meta
from jobctl.store.cells import LARGEST
from jobctl.store.damage import policy_of
from jobctl.store.database import Database
from jobctl.store.sqlite import with_states

#: The clock is corrected, not set, while all corrections together stay below this.
TOLERANCE_US = 1_000_000
#: After a restart of the machine, only the wall clock tells how long the machine was off. A longer time is not
#: believed.
LONGEST_DOWN_US = 366 * 86_400_000_000
_KEY = "clock"
_LIVE = "job IN (SELECT id FROM jobs INDEXED BY jobs_live WHERE finished_at IS NULL)"
_DUE_BY = with_states("UPDATE items SET due_at = ? WHERE job = ? AND state = {RETRYING} AND due_at > ?")
_DUE_NOW = with_states(
    "UPDATE items INDEXED BY items_due SET due_at = ?1 WHERE state = {RETRYING}"
    " AND NOT (typeof(due_at) = 'integer' AND due_at BETWEEN 0 AND ?2)"
)


class ClockReading(NamedTuple):
    """The two clocks at one moment, as the store keeps them."""

    boot: str
    steady: int
    wall: int


def text(database: Database) -> str | None:
    """The reading as it is stored. It changes when a process follows a clock that was set."""
    return meta.value(database, _KEY)


def follow(database: Database, now: int, *, is_fresh: bool = False) -> int:
    """Make the times of the store refer to the clock of ``now``, and return ``now`` as the store counts it.

    Call it in a transaction, before a time is written. The two differ only when the clock was set after ``now`` was
    read; with ``is_fresh`` it was read just now. A plain number comes from a clock that cannot be set.
    """
    if not isinstance(now, Moment):
        return now
    stored = _stored(database)
    boot, steady = on_the_machine(now)
    by = _set_by(database, stored, now)
    if stored is not None and stored.boot == boot and (not by or (steady < stored.steady and not is_fresh)):
        return now - by
    if by:
        _shift(database, by)
    meta.put(database, _KEY, f"{boot} {steady} {int(now)}")
    return now


def in_store(database: Database, now: int) -> int:
    """``now`` as the store counts it, for code that only reads: it may be compared with stored times at any moment."""
    return now - _set_by(database, _stored(database), now) if isinstance(now, Moment) else now


def _set_by(database: Database, stored: ClockReading | None, now: Moment) -> int:
    """The difference between the wall clock of ``now`` and that of the store, in microseconds; 0 = it was not set."""
    boot, steady = on_the_machine(now)
    if stored is None or stored.boot != boot:
        return _implausible(database, stored, now)
    by = (now - steady) - (stored.wall - stored.steady)
    return by if abs(by) >= TOLERANCE_US else 0


def _stored(database: Database) -> ClockReading | None:
    """The stored reading; None if the store has none, or one that cannot be read."""
    try:
        boot, steady, wall = (meta.value(database, _KEY) or "").split(" ")
        return ClockReading(boot, int(steady), int(wall))
    except ValueError:
        return None


def last_activity(database: Database) -> int | None:
    """The last moment at which a daemon or a command worked on the store, as far as the store can tell."""
    found = database.one(
        "SELECT (SELECT max(CAST(heartbeat_at AS INTEGER)) FROM daemon),"
        " (SELECT max(CAST(updated_at AS INTEGER)) FROM jobs WHERE finished_at IS NULL)"
    )
    # A damaged row may have a time that no calendar shows. It does not count.
    return max((at for at in found if at is not None and is_time(at)), default=None)


def _implausible(database: Database, stored: ClockReading | None, now: int) -> int:
    """The error of the wall clock, now or earlier, that a restart of the machine reveals, in microseconds.

    It cannot have gone back, and the machine was not off for years. Then the time in between counts as nothing.
    """
    times = [at for at in (last_activity(database), stored and stored.wall) if at is not None]
    if not times:
        return 0
    passed = now - max(times)
    if passed <= -TOLERANCE_US:
        return passed
    return passed if stored is not None and passed > LONGEST_DOWN_US else 0


def bound(database: Database, now: int) -> None:
    """Shorten every wait that is longer than its job can have asked for, because a wrong clock computed its end.

    An item whose due time cannot be read is due now; otherwise its job would wait for it for ever. An engine calls
    this function when it takes over the store, in its transaction, after ``follow``.
    """
    from jobctl.domain.notify import RETRY_AFTER_LIMIT_S  # commands, which only follow the clock, do not need it

    execute = database.execute
    execute(_DUE_NOW, (now, LARGEST))
    for number, handler, stored in execute("SELECT id, handler, policy FROM jobs WHERE finished_at IS NULL").fetchall():
        policy = policy_of(stored)
        if policy.deadline_s is not None:
            _bound(database, number, "deadline_at", now + int(policy.deadline_s * 1e6))
        if policy.not_before_s is not None:
            _bound(database, number, "not_before_at", now + int(policy.not_before_s * 1e6))
        for name in ("submitted_at", "started_at", "round_at", "updated_at", "paused_at", "tokens_at"):
            _bound(database, number, name, now)
        if handler in KINDS and not KINDS[handler].sets_own_wait:
            latest = now + int(policy.backoff.cap_s * 1e6)
            execute(_DUE_BY, (latest, number, latest))
    latest = now + int(RETRY_AFTER_LIMIT_S * 1e6)
    execute("UPDATE deliveries SET next_at = ? WHERE next_at > ?", (latest, latest))


def _bound(database: Database, job: int, column: str, latest: int) -> None:
    database.execute(f"UPDATE jobs SET {column} = ? WHERE id = ? AND {column} > ?", (latest, job, latest))  # noqa: S608


def _shift(database: Database, by: int) -> None:
    """Move all times of jobs that are not done, of queues, deliveries and the daemon."""
    from jobctl.store import downtime  # few commands meet a clock that was set

    execute = database.execute
    for number, policy in execute("SELECT id, policy FROM jobs WHERE finished_at IS NULL").fetchall():
        rules = policy_of(policy)
        movable = {"not_before_at": rules.not_before_s is not None, "deadline_at": rules.deadline_at is None}
        for name in (name for name, moves in movable.items() if moves):
            execute(f"UPDATE jobs SET {name} = {name} + ? WHERE id = ? AND typeof({name}) = 'integer'", (by, number))  # noqa: S608
    moved = ("submitted_at", "started_at", "round_at", "updated_at", "paused_at", "tokens_at")
    moves = ", ".join(f"{name} = {name} + :by" for name in moved)
    values = {"by": by}
    execute(f"UPDATE jobs SET {moves}, revision = revision + 1 WHERE finished_at IS NULL", values)  # noqa: S608
    execute(f"UPDATE items SET due_at = due_at + :by WHERE state = {RETRYING} AND {_LIVE}", values)  # noqa: S608
    execute(
        with_states(
            "UPDATE attempts SET started_at = started_at + :by WHERE ending IS NULL AND (job, item, attempt) IN"
            " (SELECT job, item, attempt FROM items WHERE state = {RUNNING})"
        ),
        values,
    )
    execute(f"UPDATE failures SET first_at = first_at + :by, last_at = last_at + :by WHERE {_LIVE}", values)  # noqa: S608
    execute("UPDATE queues SET paused_at = paused_at + :by, tokens_at = tokens_at + :by", values)
    execute("UPDATE deliveries SET next_at = next_at + :by WHERE next_at IS NOT NULL", values)
    execute("UPDATE daemon SET started_at = started_at + :by, heartbeat_at = heartbeat_at + :by", values)
    downtime.shift(database, by)
    _shift_courses(database, by)


def _shift_courses(database: Database, by: int) -> None:
    for job, stored in database.execute(f"SELECT job, course FROM figures WHERE {_LIVE}").fetchall():  # noqa: S608
        course = json.loads(stored)
        if course.get("from_at"):
            course["from_at"] += by
            database.execute("UPDATE figures SET course = ? WHERE job = ?", (json.dumps(course), job))
