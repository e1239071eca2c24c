"""Reads items and attempts for the commands items, explain and logs. A page costs the same in a job of any size."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jobctl.store.cells import checked_cells, text_of
from jobctl.store.database import Database


class ItemView(NamedTuple):
    """An item and its latest attempt; the fields of the attempt are None when it never ran."""

    item: int
    state: int
    attempt: int
    due_at: int | None
    payload: bytes
    ending: int | None
    code: int | None
    slot: int | None
    started_at: int | None
    duration_us: int | None
    cpu_us: int | None
    max_rss_kib: int | None
    pid: int | None
    message: str | None
    value: str | None = None  # JSON that a call returned
    host: str | None = None  # where, if not on this machine
    flags: int | None = None
    left_count: int | None = None  # processes that outlived it and were ended
    left_names: str | None = None


_SELECT_ITEMS = (
    "SELECT i.item, i.state, i.attempt, i.due_at, i.payload, a.ending, a.code, a.slot, a.started_at, a.duration_us,"
    " a.cpu_us, a.max_rss_kib, a.pid, a.message, a.value, a.host, a.flags, l.count, l.names FROM items i"
    " LEFT JOIN attempts a ON a.job = i.job AND a.item = i.item AND a.attempt = i.attempt"
    " LEFT JOIN leftovers l ON l.job = i.job AND l.item = i.item AND l.attempt = i.attempt"
    " WHERE i.job = ? AND i.item IN (SELECT value FROM json_each(?)) ORDER BY i.item"
)


def items(database: Database, job: int, numbers: Sequence[int]) -> list[ItemView]:
    """The items of a job with these numbers, in order; those that do not exist are left out."""
    rows = database.execute(_SELECT_ITEMS, (job, json.dumps(list(numbers))))
    return [ItemView._make(checked_cells(ItemView, row)) for row in rows]


_OF_ITEMS = (
    "FROM items i LEFT JOIN attempts a ON a.job = i.job AND a.item = i.item AND a.attempt = i.attempt"
    " WHERE i.job = ? AND i.item IN (SELECT value FROM json_each(?))"
)


def items_with_words(database: Database, job: int, numbers: Sequence[int], words: Sequence[str]) -> list[int]:
    """Those of some items whose row and message together have each of the words, in either case, in order.

    ``words`` are in small letters.
    """
    if _is_ascii(words):
        # Only Python knows the small letters of all alphabets, but SQL is ten times faster.
        text = "lower(CAST(i.payload AS TEXT) || char(10) || ifnull(CAST(a.message AS TEXT), ''))"
        conditions = f" AND instr({text}, ?)" * len(words)
        sql = f"SELECT i.item {_OF_ITEMS}{conditions} ORDER BY i.item"
        return [row[0] for row in database.execute(sql, (job, json.dumps(list(numbers)), *words))]
    sql = f"SELECT i.item, i.payload, a.message {_OF_ITEMS} ORDER BY i.item"
    rows = database.execute(sql, (job, json.dumps(list(numbers))))
    texts = ((item, f"{text_of(payload)}\n{text_of(message)}".casefold()) for item, payload, message in rows)
    return [item for item, text in texts if all(word in text for word in words)]


def _is_ascii(words: Sequence[str]) -> bool:
    return all(word.isascii() for word in words)


def durations(database: Database, job: int, numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Some items with the durations of their latest attempts in microseconds, without those that have none."""
    sql = f"SELECT i.item, a.duration_us {_OF_ITEMS} AND typeof(a.duration_us) = 'integer' ORDER BY i.item"
    return database.execute(sql, (job, json.dumps(list(numbers)))).fetchall()


class AttemptView(NamedTuple):
    """One run of an item; ``ending`` None = it runs."""

    item: int
    attempt: int
    round: int
    slot: int
    started_at: int
    ending: int | None
    code: int
    duration_us: int | None
    cpu_us: int
    max_rss_kib: int
    log: int
    out_off: int
    out_len: int
    err_off: int
    err_len: int
    flags: int
    pid: int
    message: str | None
    host: str | None  # where, if not on this machine


_SELECT_ATTEMPT = f"SELECT {', '.join(AttemptView._fields)} FROM attempts"  # noqa: S608 - column names of this module


def attempts(database: Database, number: int, item: int) -> list[AttemptView]:
    """Every recorded run of an item, first to last."""
    rows = database.execute(f"{_SELECT_ATTEMPT} WHERE job = ? AND item = ? ORDER BY attempt", (number, item))
    return [AttemptView._make(checked_cells(AttemptView, row)) for row in rows]


def attempts_after(
    database: Database, number: int, after: tuple[int, int], limit: int, *, since: int = 0
) -> list[AttemptView]:
    """The next recorded runs of a job above (item, attempt), in item order; only those that had not ended before
    ``since`` (microseconds UTC).
    """
    recent = " AND (ending IS NULL OR started_at + ifnull(duration_us, 0) >= ?)" if since else ""
    rows = database.execute(
        f"{_SELECT_ATTEMPT} WHERE job = ? AND (item, attempt) > (?, ?){recent} ORDER BY item, attempt LIMIT ?",
        (number, *after, *([since] if since else ()), limit),
    )
    return [AttemptView._make(checked_cells(AttemptView, row)) for row in rows]


class ItemProgress(NamedTuple):
    """The state of an item, and the attempts that it has begun."""

    state: int
    attempt: int


def item_state(database: Database, number: int, item: int) -> ItemProgress | None:
    """(state, attempts begun) of one item."""
    row = database.one("SELECT state, attempt FROM items WHERE job = ? AND item = ?", (number, item))
    return None if row is None else ItemProgress._make(checked_cells(ItemProgress, row))


def cause_of_attempt(database: Database, job: int, item: int, attempt: int) -> int | None:
    """The number of the cause of an attempt; None if it has none."""
    sql = "SELECT failure FROM attempts WHERE job = ? AND item = ? AND attempt = ?"
    found = database.scalar(sql, (job, item, attempt))
    return found if isinstance(found, int) else None


class FinishedRun(NamedTuple):
    """An item and its latest attempt that has ended."""

    item: int
    payload: bytes
    ending: int | None
    code: int
    started_at: int
    duration_us: int
    out_len: int
    host: str | None


_FINISHED_RUNS = (
    "SELECT i.item, i.payload, a.ending, a.code, a.started_at, a.duration_us, a.out_len, a.host"
    " FROM items i JOIN attempts a ON a.job = i.job AND a.item = i.item AND a.attempt ="
    " (SELECT max(attempt) FROM attempts WHERE job = i.job AND item = i.item AND ending IS NOT NULL)"
    " WHERE i.job = ? AND {} ORDER BY i.item"
)
_NEXT_RUNS = _FINISHED_RUNS.format("i.item > ?") + " LIMIT ?"
_RUNS_OF_ITEMS = _FINISHED_RUNS.format("i.item IN (SELECT value FROM json_each(?))")
_PAGE = 2_000


def finished_runs(database: Database, number: int) -> Iterator[FinishedRun]:
    """The items of a job that have run, in order, read in pages so that no read transaction stays open."""
    last = 0
    while rows := database.execute(_NEXT_RUNS, (number, last, _PAGE)).fetchall():
        yield from (FinishedRun._make(checked_cells(FinishedRun, row)) for row in rows)
        last = rows[-1][0]


def runs_of_items(database: Database, job: int, numbers: Sequence[int]) -> list[FinishedRun]:
    """Those of these items that have run, in order."""
    rows = database.execute(_RUNS_OF_ITEMS, (job, json.dumps(list(numbers))))
    return [FinishedRun._make(checked_cells(FinishedRun, row)) for row in rows]
