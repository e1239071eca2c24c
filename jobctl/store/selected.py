"""Finds the items of a selection: by state and cause with SQL, page by page in the order of the items.

No read transaction stays open between pages, and memory is flat for any number of items.
"""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from jobctl.domain.endings import Ending
from jobctl.domain.selection import Kind, Selection
from jobctl.domain.spans import ENDLESS, Span
from jobctl.domain.states import ItemState
from jobctl.store.cells import checked_cells
from jobctl.store.database import Database
from jobctl.store.views.items import ItemView

PAGE = 1_000
#: The largest number of SQLite.
LARGEST = ENDLESS - 1
_UNKNOWN = "items.failure IN (SELECT id FROM failures WHERE job = items.job AND outcome = 'unknown')"
_OF_CAUSE = "items.failure IN (SELECT value FROM json_each(?))"
#: The states that have an index of their own. Items in other states are found by a scan.
_INDEXES = {
    ItemState.RUNNING: "items_running",
    ItemState.RETRYING: "items_due",
    ItemState.FAILED: "items_failed",
}
#: An index on the time of the next attempt is not in the order of the items, so a page of it sorts all of its entries.
#: The index is used if at most one of this number of items waits.
_SPARSE = 100


def _whole(column: str) -> str:
    """SQL that gives a whole number or NULL for any cell, because one damaged cell must not end a list."""
    return f"CAST({column} AS INTEGER)"


#: The cells that a condition can read, as SQL: of the item, of its latest attempt, and of what that left behind.
_OF_ITEM = {
    "item": "items.item",
    "state": f"coalesce({_whole('items.state')}, -1)",
    "attempt": _whole("items.attempt"),
    "due_at": _whole("items.due_at"),
    "payload": "CAST(items.payload AS BLOB)",
    "retryable": "(SELECT retryable FROM failures WHERE id = items.failure)",
}
_OF_ATTEMPT = {
    "ending": f"CASE WHEN a.ending BETWEEN 0 AND {max(Ending)} THEN CAST(a.ending AS INTEGER) END",
    "code": f"coalesce({_whole('a.code')}, 0)",
    "flags": f"coalesce({_whole('a.flags')}, 0)",
    **{name: _whole(f"a.{name}") for name in ("slot", "started_at", "duration_us", "cpu_us", "max_rss_kib")},
    **{name: f"CAST(a.{name} AS TEXT)" for name in ("message", "value", "host")},
}
_OF_LEFTOVERS = {"left_names": "CAST(l.names AS TEXT)"}
_CELLS = _OF_ITEM | _OF_ATTEMPT | _OF_LEFTOVERS
_JOINS = (
    (_OF_ATTEMPT, " LEFT JOIN attempts a ON a.job = items.job AND a.item = items.item AND a.attempt = items.attempt"),
    (
        _OF_LEFTOVERS,
        " LEFT JOIN leftovers l ON l.job = items.job AND l.item = items.item AND l.attempt = items.attempt",
    ),
)

#: The columns of ``ItemView``.
_VIEW = (
    *(f"items.{name}" for name in ("item", "state", "attempt", "due_at", "payload")),
    *(f"a.{name}" for name in ItemView._fields[5:-2]),
    *("l.count", "l.names"),
)


class ItemFilter(NamedTuple):
    """Items of a job: a condition over the table, in which every value is a parameter."""

    job: int
    condition: str
    values: tuple[object, ...]
    undone: bool = False  # rows that were taken back may be among them

    @property
    def parameters(self) -> tuple[object, ...]:
        """The job and the values, for ``WHERE job = ? AND condition``."""
        return (self.job, *self.values)


def groups_of(database: Database, job: int, causes: Sequence[str]) -> list[int]:
    """The numbers of the causes of a job that have one of these codes, or the code and the number of one of these."""
    wanted = set(causes)
    rows = database.execute("SELECT id, code FROM failures WHERE job = ?", (job,)).fetchall()
    return [number for number, code in rows if code in wanted or f"{code}:{number}" in wanted]


def condition(kind: Kind, groups: Sequence[int]) -> tuple[str, tuple[object, ...]]:
    """The condition for items of one kind, and its values; ``groups`` are the chosen causes."""
    text = f"items.state = {kind.state:d}"
    if kind.unknown:
        text += f" AND {_UNKNOWN}"
    if kind.by_cause:
        return f"{text} AND {_OF_CAUSE}", (json.dumps(list(groups)),)
    return text, ()


def any_of(parts: Iterable[tuple[str, tuple[object, ...]]]) -> tuple[str, tuple[object, ...]]:
    """A condition that is true where one of several is true."""
    found = list(parts)
    if not found:
        return "0", ()
    return f"({' OR '.join(text for text, _ in found)})", tuple(value for _, values in found for value in values)


class _Search(NamedTuple):
    """One search for items: through an index or by a scan, with a condition and the values in it."""

    through: str
    condition: str
    values: tuple[object, ...]


_COUNTERS = f"SELECT total, cursor, {', '.join(state.word for state in ItemState)} FROM jobs WHERE id = ?"  # noqa: S608 - names of columns


class Query:
    """The items of a job that states, causes and numbers choose, by its counters and causes as they are now."""

    def __init__(self, database: Database, job: int, selection: Selection, default: Sequence[ItemState] = ()) -> None:
        """``default`` are the states of a selection that names none; without any, all items."""
        self._database = database
        self._job = job
        self._spans = selection.items or (Span(1, LARGEST),)
        self._groups = groups_of(database, job, selection.causes) if selection.causes else []
        self._searches = list(self._plan(selection.kinds(default)))

    def _plan(self, kinds: Sequence[Kind]) -> Iterator[_Search]:
        """The searches for these kinds: one for each index, and one scan for all states without an index.

        A state that no item has by the counters of the job needs no search.
        """
        if not kinds:
            yield _Search("", "1", ())
            return
        job = self._database.one(_COUNTERS, (self._job,))
        # A damaged counter counts as one item, so that its state is searched.
        found = (1,) * (2 + len(ItemState)) if job is None else (each if type(each) is int else 1 for each in job)
        total, cursor, *counts = found
        kinds = [kind for kind in kinds if counts[kind.state]]
        indexes = dict(_INDEXES)
        if counts[ItemState.RETRYING] * _SPARSE > total:
            del indexes[ItemState.RETRYING]
        scanned = [kind for kind in kinds if kind.state not in indexes]
        if scanned:
            text, values = any_of(condition(kind, self._groups) for kind in scanned)
            if all(kind.state is ItemState.QUEUED for kind in scanned):  # no item before the cursor is queued
                text, values = f"{text} AND items.item >= ?", (*values, cursor)
            yield _Search("", text, values)
        for state, index in indexes.items():
            parts = [condition(kind, self._groups) for kind in kinds if kind.state is state]
            if parts:  # SQLite has to see the condition of the partial index by itself
                text, values = any_of(parts)
                yield _Search(f" INDEXED BY {index}", f"items.state = {state:d} AND {text}", values)

    def rows(
        self, cells: Sequence[str] = (), after: int = 0, until: int = LARGEST, size: int = PAGE
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the number and the cells of each item above ``after`` and up to ``until``, in order.

        Reads ``size`` items at a time.
        """
        joins = "".join(text for names, text in _JOINS if not names.keys().isdisjoint(cells))
        return self._rows([_CELLS[cell] for cell in cells], joins, (after, until), size)

    def views(self, after: int = 0, size: int = PAGE) -> Iterator[ItemView]:
        """Yield the items above ``after`` with their latest attempts, in order; reads ``size`` items at a time."""
        joins = "".join(text for _, text in _JOINS)
        for row in self._rows(_VIEW, joins, (after, LARGEST), size):
            yield ItemView._make(checked_cells(ItemView, row[1:]))

    def _rows(
        self, columns: Sequence[str], joins: str, between: tuple[int, int], size: int
    ) -> Iterator[tuple[Any, ...]]:
        after, until = between
        for first, last in self._spans:
            if last > after and first <= until:
                numbers = (max(first, after + 1), min(last, until))
                yield from self._merged([self._found(each, numbers, columns, joins, size) for each in self._searches])

    @staticmethod
    def _merged(found: Sequence[Iterator[tuple[Any, ...]]]) -> Iterator[tuple[Any, ...]]:
        if len(found) == 1:
            yield from found[0]
            return
        before = 0
        for row in heapq.merge(*found, key=lambda row: row[0]):
            if row[0] != before:  # an item may change its state between two searches
                yield row
            before = row[0]

    def _found(
        self, search: _Search, numbers: tuple[int, int], columns: Sequence[str], joins: str, size: int
    ) -> Iterator[tuple[Any, ...]]:
        first, last = numbers
        sql = (
            f"SELECT {', '.join(['items.item', *columns])} FROM items{search.through}{joins}"  # noqa: S608 - names of this module
            f" WHERE items.job = ? AND {search.condition} AND items.item BETWEEN ? AND ? ORDER BY items.item LIMIT ?"
        )
        while first <= last:
            page = self._database.execute(sql, (self._job, *search.values, first, last, size)).fetchall()
            yield from page
            if len(page) < size:
                return
            first = page[-1][0] + 1

    def count(self) -> int:
        """The number of these items."""
        total = 0
        for first, last in self._spans:
            for through, text, values in self._searches:
                sql = f"SELECT count(*) FROM items{through} WHERE job = ? AND {text} AND item BETWEEN ? AND ?"  # noqa: S608 - names of this module
                total += self._database.scalar(sql, (self._job, *values, first, min(last, LARGEST)))
        return total


#: A condition for statements that act on the items of ``choose_items``.
CHOSEN = "(job, item) IN (SELECT job, item FROM temp.chosen)"
_CHOSEN_TABLE = (
    "CREATE TEMP TABLE IF NOT EXISTS chosen (job INTEGER, item INTEGER, PRIMARY KEY (job, item)) WITHOUT ROWID"
)
_BATCH = 10_000


def choose_items(database: Database, job: int, numbers: Iterable[int]) -> int:
    """Put items of a job into the table ``temp.chosen``, which only this connection sees, in place of earlier ones.

    Returns their number. Each takes about ten bytes of memory.
    """
    database.execute(_CHOSEN_TABLE)
    database.execute("DELETE FROM temp.chosen WHERE job = ?", (job,))
    rest = iter(numbers)
    while batch := [(job, number) for number in itertools.islice(rest, _BATCH)]:
        database.executemany("INSERT OR IGNORE INTO temp.chosen VALUES (?, ?)", batch)
    return int(database.scalar("SELECT count(*) FROM temp.chosen WHERE job = ?", (job,)))
