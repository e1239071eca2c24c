"""Items with their last attempts, read for whatever looks at all of them at the end of a round."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

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


#: As ``ItemRow._make``, without a call of Python for each of a million rows.
_make = partial(tuple.__new__, ItemRow)


def item_rows(database: Database, job: int) -> Iterator[ItemRow]:
    """Items of a job in input order, read in pages so that no read transaction stays open."""
    last = 0
    while True:
        rows = database.execute(
            "SELECT i.item, i.state, i.attempt, i.payload, a.ending, coalesce(a.code, 0), a.started_at, a.duration_us,"
            " coalesce(a.cpu_us, 0), coalesce(a.max_rss_kib, 0), coalesce(a.log, 0), coalesce(a.out_off, 0),"
            " coalesce(a.out_len, 0), a.message, a.value, coalesce(a.flags, 0)"
            " FROM items i LEFT JOIN attempts a ON a.job = i.job AND a.item = i.item AND a.attempt = i.attempt"
            " WHERE i.job = ? AND i.item > ? ORDER BY i.item LIMIT ?",
            (job, last, PAGE),
        ).fetchall()
        if not rows:
            return
        yield from map(_make, rows)
        last = rows[-1][0]
