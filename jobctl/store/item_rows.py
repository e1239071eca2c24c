"""Items with their last attempts, read for the result files at the end of a round."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from jobctl.domain.endings import Ending
from jobctl.store.database import Database

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
_SELECT = (
    f"SELECT i.item, i.state, {_whole('i.attempt')}, CAST(i.payload AS BLOB), {_ENDING}, {_whole('a.code')},"  # noqa: S608 - names of this module
    " CAST(a.started_at AS INTEGER), CAST(a.duration_us AS INTEGER),"
    f" {_whole('a.cpu_us')}, {_whole('a.max_rss_kib')}, {_whole('a.log')}, {_whole('a.out_off')},"
    f" {_whole('a.out_len')}, CAST(a.message AS TEXT), CAST(a.value AS TEXT), {_whole('a.flags')}"
    " FROM items i LEFT JOIN attempts a ON a.job = i.job AND a.item = i.item AND a.attempt = i.attempt"
    " WHERE i.job = ? AND i.item > ? ORDER BY i.item LIMIT ?"
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
