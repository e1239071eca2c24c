"""Reads the items that run or wait for another attempt, through the indexes of their states."""

from __future__ import annotations

from typing import NamedTuple

from jobctl.domain.state_numbers import RETRYING
from jobctl.store.cells import checked_cells
from jobctl.store.database import Database
from jobctl.store.sqlite import with_states


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
    return [RunningView._make(checked_cells(RunningView, row)) for row in rows]


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
    return DueRange._make(checked_cells(DueRange, database.one(sql, (number,))))


def running_by_job(database: Database) -> list[tuple[str, int, int]]:
    """(queue, job, attempts that an executor has) of every job that has some, most first."""
    return database.execute(
        "SELECT queue, id, running FROM jobs WHERE finished_at IS NULL AND running > 0 ORDER BY running DESC, id"
    ).fetchall()
