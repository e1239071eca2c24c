"""Writes items: enqueue, claim, settle, give back. Functions take many items, and check state, attempt and epoch.

No function here begins or ends a transaction or changes the counters of the job. The caller does both, in one
transaction (``store.jobs.add_counts``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from jobctl.domain.ports import AttemptId, Finished
from jobctl.domain.states import ItemState
from jobctl.store import cancelled
from jobctl.store.cells import checked_cells
from jobctl.store.database import Database
from jobctl.store.sqlite import with_states

_PAGE = 5_000

#: An item that now runs as this attempt: (item, attempt, payload). A plain tuple is fast to make for millions.
Claimed = tuple[int, int, bytes]


class Budgeted(NamedTuple):
    """The attempts and crashes of an item when it was claimed."""

    item: int
    attempt: int
    free: int
    crashes: int


class Settlement(NamedTuple):
    """The new state of an item whose attempt is over."""

    item: int
    attempt: int
    state: ItemState
    due_at: int | None
    failure: int | None
    free: int
    crashes: int


class StaleAttempts(Exception):
    """Some attempts are not ours; the transaction must be rolled back and repeated with those that are."""


def enqueue(database: Database, job: int, first: int, payloads: Sequence[bytes]) -> None:
    """Append rows to a job, numbered from ``first``."""
    database.executemany(
        "INSERT INTO items (job, item, payload) VALUES (?, ?, ?)",
        zip((job,) * len(payloads), range(first, first + len(payloads)), payloads, strict=True),
    )


_NEXT_QUEUED = with_states(
    "SELECT item, attempt + 1, CAST(payload AS BLOB) FROM items"
    " WHERE job = ? AND item >= ? AND state = {QUEUED} ORDER BY item LIMIT ?"
)
_CLAIM = with_states(
    "UPDATE items SET state = {RUNNING}, attempt = attempt + 1, epoch = ?"
    " WHERE job = ? AND item BETWEEN ? AND ? AND state = {QUEUED}"
)


def claim(database: Database, job: int, cursor: int, limit: int, epoch: int) -> list[Claimed]:
    """Take the next queued items at or after ``cursor``, in order; empty if none is queued."""
    rows = database.execute(_NEXT_QUEUED, (job, cursor, limit)).fetchall()
    if rows:
        database.execute(_CLAIM, (epoch, job, rows[0][0], rows[-1][0]))
    return rows


_NEXT_DUE = with_states(
    "SELECT item, attempt + 1, CAST(payload AS BLOB) FROM items"
    " WHERE job = ? AND state = {RETRYING} AND due_at <= ? ORDER BY due_at LIMIT ?"
)
_CLAIM_DUE = with_states(
    "UPDATE items SET state = {RUNNING}, attempt = attempt + 1, epoch = ?, due_at = NULL"
    " WHERE job = ? AND item = ? AND state = {RETRYING}"
)


def claim_due(database: Database, job: int, now: int, limit: int, epoch: int) -> list[Claimed]:
    """Take items whose waiting time for another attempt is over, longest overdue first."""
    rows = database.execute(_NEXT_DUE, (job, now, limit)).fetchall()
    database.executemany(_CLAIM_DUE, [(epoch, job, row[0]) for row in rows])
    return rows


_EARLIEST_DUE = with_states("SELECT min(due_at) FROM items WHERE job = ? AND state = {RETRYING}")


def next_due(database: Database, job: int) -> int | None:
    """The time when the job's next waiting item is due, in microseconds; None if no such time can be read."""
    value = database.scalar(_EARLIEST_DUE, (job,))
    return value if isinstance(value, int) else None


#: The statement for one item; ``store.calls`` uses it as well.
SUCCEED = with_states(
    "UPDATE items SET state = {SUCCEEDED}, failure = NULL"
    " WHERE job = ? AND item = ? AND attempt = ? AND epoch = ? AND state = {RUNNING}"
)


def succeed(database: Database, job: int, epoch: int, done: Sequence[Finished]) -> None:
    """running -> succeeded. Raises StaleAttempts when another engine has taken one over, or it is over."""
    cursor = database.executemany(SUCCEED, [(job, f[1], f[2], epoch) for f in done])
    if cursor.rowcount != len(done):
        raise StaleAttempts


_SETTLE = with_states(
    "UPDATE items SET state = ?, due_at = ?, failure = ?, free = ?, crashes = ?, attempt = ?"
    " WHERE job = ? AND item = ? AND attempt = ? AND epoch = ? AND state = {RUNNING}"
)


def settle(database: Database, job: int, epoch: int, settlements: Sequence[Settlement]) -> None:
    """running -> any other state. Raises StaleAttempts when another engine has taken one over, or it is over."""
    if not settlements:
        return
    cursor = database.executemany(
        _SETTLE,
        [
            (s.state, s.due_at, s.failure, s.free, s.crashes, s.attempt, job, s.item, s.attempt, epoch)
            for s in settlements
        ],
    )
    if cursor.rowcount != len(settlements):
        raise StaleAttempts


_RELEASE = with_states(
    "UPDATE items SET state = {QUEUED}, attempt = attempt - 1"
    " WHERE job = ? AND item = ? AND attempt = ? AND epoch = ? AND state = {RUNNING}"
)


def release(database: Database, job: int, epoch: int, attempts: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """running -> queued for attempts that never started; the attempt number is given back.

    Returns (item, attempts begun before) of those that were held.
    """
    released = []
    for item, attempt in attempts:
        changed = database.execute(_RELEASE, (job, item, attempt, epoch)).rowcount
        if changed:
            released.append((item, attempt - 1))
    return released


def budgets(database: Database, job: int, items: Sequence[int]) -> dict[int, Budgeted]:
    """The attempts and crashes that these items have used up so far."""
    found = {}
    for item in items:
        row = database.one("SELECT item, attempt, free, crashes FROM items WHERE job = ? AND item = ?", (job, item))
        if row is not None:
            found[item] = Budgeted._make(checked_cells(Budgeted, row))
    return found


def running_under(database: Database, job: int, epoch: int) -> list[tuple[int, int]]:
    """(item, attempt) of the items of a job that run under this epoch."""
    sql = with_states("SELECT item, attempt FROM items WHERE job = ? AND state = {RUNNING} AND epoch = ?")
    return database.execute(sql, (job, epoch)).fetchall()


def running(database: Database) -> list[tuple[int, int, int, int]]:
    """(job, item, attempt, epoch) of every item that the database has as running, in all jobs."""
    sql = with_states("SELECT job, item, attempt, epoch FROM items WHERE state = {RUNNING}")
    return database.execute(sql).fetchall()


def take_over(database: Database, epoch: int, attempts: Iterable[AttemptId]) -> None:
    """Put running attempts that the executor still holds under a new epoch."""
    sql = with_states("UPDATE items SET epoch = ? WHERE job = ? AND item = ? AND attempt = ? AND state = {RUNNING}")
    database.executemany(sql, [(epoch, *attempt) for attempt in attempts])


_DROP_QUEUED = with_states(
    "UPDATE items SET state = {UNPROCESSED} WHERE job = ? AND item BETWEEN ? AND ? AND state = {QUEUED} AND attempt = 0"
)


def drop_queued(database: Database, job: int, first: int, last: int, batch: int | None = None) -> list[int]:
    """queued -> unprocessed for never tried items numbered first..last. Returns these items, in order.

    With a ``batch``, only the items of this set: see ``store.cancelled``.
    """
    condition, values = _of_set(job, first, last, batch)
    rows = database.execute(f"{_DROP_QUEUED}{condition} RETURNING item", (job, first, last, *values)).fetchall()
    return sorted(row[0] for row in rows)


def _of_set(job: int, first: int, last: int, batch: int | None) -> tuple[str, tuple[int, ...]]:
    """The rest of a condition for the items of a set, and its values; empty without a set."""
    return ("", ()) if batch is None else (f" AND {cancelled.IN_SET}", (job, first, last, batch))


_WAITING = with_states(
    "SELECT item, state, failure, attempt FROM items"
    " WHERE job = ? AND item BETWEEN ? AND ? AND state IN ({QUEUED}, {RETRYING}) AND attempt > 0"
)
_FAIL = with_states("UPDATE items SET state = {FAILED}, due_at = NULL WHERE job = ? AND item = ?")


class FailedWaiting(NamedTuple):
    """An item that failed while it waited for another attempt."""

    item: int
    state: int  # before
    failure: int | None  # group of the last attempt
    attempt: int


def fail_waiting(database: Database, job: int, first: int, last: int, batch: int | None = None) -> list[FailedWaiting]:
    """queued or retrying -> failed for items numbered first..last that were tried before; of a set, as above."""
    condition, values = _of_set(job, first, last, batch)
    rows = database.execute(_WAITING + condition, (job, first, last, *values)).fetchall()
    database.executemany(_FAIL, [(job, row[0]) for row in rows])
    return list(map(FailedWaiting._make, rows))


def state(database: Database, job: int, item: int) -> ItemState | None:
    """The state of an item; None if the job has no such item."""
    found = database.scalar("SELECT state FROM items WHERE job = ? AND item = ?", (job, item))
    return None if found is None else ItemState(found)


class SubmittedRow(NamedTuple):
    """An item as it was submitted, and its state."""

    item: int
    state: int
    payload: bytes


def pages(database: Database, job: int) -> Iterator[list[SubmittedRow]]:
    """All items of a job in order, in pages so that no read transaction stays open."""
    last = 0
    sql = "SELECT item, state, CAST(payload AS BLOB) FROM items WHERE job = ? AND item > ? ORDER BY item LIMIT ?"
    while rows := database.execute(sql, (job, last, _PAGE)).fetchall():
        last = rows[-1][0]
        yield list(map(SubmittedRow._make, rows))


def payloads(database: Database, job: int, after: int, limit: int) -> list[bytes]:
    """The rows of the next items after number ``after``."""
    sql = "SELECT payload FROM items WHERE job = ? AND item > ? ORDER BY item LIMIT ?"
    return [row[0] for row in database.execute(sql, (job, after, limit))]


def payload(database: Database, job: int, item: int) -> bytes | None:
    """The row of one item."""
    return database.scalar("SELECT payload FROM items WHERE job = ? AND item = ?", (job, item))  # type: ignore[no-any-return]


def payloads_of(database: Database, job: int, numbers: Sequence[int]) -> list[bytes]:
    """The rows of the items with these numbers, in their order."""
    chosen = "item IN (SELECT value FROM json_each(?))"
    sql = f"SELECT CAST(payload AS BLOB) FROM items WHERE job = ? AND {chosen} ORDER BY item"  # noqa: S608
    return [row[0] for row in database.execute(sql, (job, json.dumps(list(numbers))))]


_IN_DOUBT = with_states(
    "SELECT item FROM items WHERE job = ? AND item IN (SELECT value FROM json_each(?)) AND state = {FAILED}"
    " AND failure IN (SELECT id FROM failures WHERE job = items.job AND outcome = 'unknown')"
)


def with_unknown_outcome(database: Database, job: int, numbers: Sequence[int]) -> set[int]:
    """Those of the items with these numbers that failed and may have had their effect."""
    return {row[0] for row in database.execute(_IN_DOUBT, (job, json.dumps(list(numbers))))}
