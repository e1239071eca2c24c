"""Items with their last attempts, read for the result files at the end of a round."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from jobctl.domain.endings import Ending
from jobctl.store.database import Database
from jobctl.store.sqlite import with_states

PAGE = 2_000


class ItemRow(NamedTuple):
    """An item and its last attempt, as the result files need them."""

    item: int
    state: int
    attempts: int
    payload: bytes
    ending: int | None
    code: int
    started_at: int | None
    duration_us: int | None
    cpu_us: int
    max_rss_kib: int
    log: int
    out_off: int
    out_len: int
    message: str | None
    value: str | None
    flags: int


def _whole(column: str) -> str:
    """SQL that gives a whole number for any cell, because one damaged cell must not keep the job from ending."""
    return f"coalesce(CAST({column} AS INTEGER), 0)"


_ENDING = f"CASE WHEN a.ending BETWEEN 0 AND {max(Ending)} THEN CAST(a.ending AS INTEGER) END"
_ATTEMPT = (
    f" {_ENDING}, {_whole('a.code')},"
    " CAST(a.started_at AS INTEGER), CAST(a.duration_us AS INTEGER),"
    f" {_whole('a.cpu_us')}, {_whole('a.max_rss_kib')}, {_whole('a.log')}, {_whole('a.out_off')},"
    f" {_whole('a.out_len')}, CAST(a.message AS TEXT), CAST(a.value AS TEXT), {_whole('a.flags')}"
)
_SELECT = (
    f"SELECT i.item, i.state, {_whole('i.attempt')}, CAST(i.payload AS BLOB),{_ATTEMPT}"  # noqa: S608 - names of this module
    " FROM items i LEFT JOIN attempts a ON a.job = i.job AND a.item = i.item AND a.attempt = i.attempt"
    " WHERE i.job = ? AND i.item > ? ORDER BY i.item LIMIT ?"
)
_SELECT_UNDONE = (
    with_states(f"SELECT u.undo_job, u.item, i.item, i.state, {_whole('i.attempt')}, CAST(o.payload AS BLOB),")
    + _ATTEMPT
    + with_states(
        " FROM undone u JOIN items o ON o.job = u.job AND o.item = u.item"
        " JOIN items i ON i.job = u.undo_job AND i.item = u.undo_item AND i.state = {SUCCEEDED}"
        " LEFT JOIN attempts a ON a.job = i.job AND a.item = i.item AND a.attempt = i.attempt"
        " WHERE u.job = ? AND u.item > ? ORDER BY u.item LIMIT ?"
    )
)
#: The same as ``ItemRow._make``, but without a Python call for each of a million rows.
_make = partial(tuple.__new__, ItemRow)


def item_rows(database: Database, job: int) -> Iterator[ItemRow]:
    """Items of a job in input order, read in pages so that no read transaction stays open."""
    last = 0
    while True:
        rows = database.execute(
            _SELECT,
            (job, last, PAGE),
        ).fetchall()
        if not rows:
            return
        yield from map(_make, rows)
        last = rows[-1][0]


class UndoneRow(NamedTuple):
    """A row that was taken back, and the item of the undo job that did it; its payload is the row of the other job."""

    undo_job: int
    item: int  # of the job that was taken back
    undo: ItemRow


def undone_rows(database: Database, job: int) -> Iterator[UndoneRow]:
    """The rows of a job that were taken back, in their order, read in pages."""
    last = 0
    while rows := database.execute(_SELECT_UNDONE, (job, last, PAGE)).fetchall():
        for row in rows:
            yield UndoneRow(row[0], row[1], _make(row[2:]))
        last = rows[-1][1]
