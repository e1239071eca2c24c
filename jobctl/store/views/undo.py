"""Reads the undo of a job: the undo jobs with their counters, and the items that take back single rows.

Every status loads this module, so what only an undo needs is in ``store.undone``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from jobctl.domain.states import ItemState
from jobctl.store.database import Database
from jobctl.store.sqlite import with_states

#: The most undo jobs of one job that are counted; more than these come from a person who undoes rows one by one.
_MOST_JOBS = 10_000


class UndoJobView(NamedTuple):
    """An undo job, and the rows that it has of the job that it takes back."""

    id: int
    undone: int
    failed: int  # in the undo, or never tried by it
    running: int
    left: int  # rows that wait


def undo_jobs(database: Database, job: int) -> list[UndoJobView]:
    """The undo jobs of a job, oldest first. Rows that they have lost to later ones, or that run again, do not count."""
    rows = database.execute(
        "SELECT id, succeeded - undo_released, failed + unprocessed - undo_retaken, running, queued + retrying"
        " FROM jobs WHERE undo_of = ? ORDER BY id LIMIT ?",
        (job, _MOST_JOBS),
    )
    return [UndoJobView(number, *(max(0, int(count)) for count in counts)) for number, *counts in rows]


class UndoOfItem(NamedTuple):
    """The item that takes back a row."""

    job: int
    item: int
    state: ItemState


def of_items(database: Database, job: int, numbers: Sequence[int]) -> dict[int, UndoOfItem]:
    """The undo of each of these items that an undo job has."""
    rows = database.execute(
        "SELECT u.item, u.undo_job, u.undo_item, CAST(i.state AS INTEGER) FROM undone u"
        " JOIN items i ON i.job = u.undo_job AND i.item = u.undo_item WHERE u.job = ?"
        " AND u.item IN (SELECT value FROM json_each(?))",
        (job, json.dumps(list(numbers))),
    )
    return {item: UndoOfItem(undo_job, undo_item, ItemState(state)) for item, undo_job, undo_item, state in rows}


def taken_back_by(database: Database, job: int, undo_job: int, undo_items: Sequence[int]) -> dict[int, int]:
    """The items of a job that these items of an undo job take back, by item of the undo job."""
    sql = (
        "SELECT undo_item, item FROM undone WHERE job = ? AND undo_job = ?"
        " AND undo_item IN (SELECT value FROM json_each(?))"
    )
    return dict(database.execute(sql, (job, undo_job, json.dumps(list(undo_items)))).fetchall())


def has_any(database: Database, job: int) -> bool:
    """True if an undo job has any row of a job."""
    return database.scalar("SELECT 1 FROM undone WHERE job = ? LIMIT 1", (job,)) is not None


def held_failures(database: Database, job: int, *, careful: bool) -> int:
    """The number of items that did not succeed and that a retry leaves out, because an undo job has their rows.

    If it is ``careful``, it leaves out failures of unknown outcome anyway, and they do not count here.
    """
    found = database.one("SELECT undo_of, undo_retaken, failed FROM jobs WHERE id = ?", (job,))
    if found is None or found[0] is not None:  # a careful undo job never loses rows of unknown outcome
        return 0 if found is None else int(found[1])
    if not found[2] or not has_any(database, job):
        return 0
    known = (
        " AND (failure IS NULL OR failure NOT IN (SELECT id FROM failures WHERE job = items.job"
        " AND outcome = 'unknown'))"
    )
    sql = with_states(
        "SELECT count(*) FROM items INDEXED BY items_failed WHERE job = ? AND state = {FAILED}"
        " AND item IN (SELECT item FROM undone WHERE job = ?)"
    )
    return int(database.scalar(sql + (known if careful else ""), (job, job)))
