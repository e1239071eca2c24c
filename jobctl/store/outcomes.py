"""The outcomes of attempts in the order in which they were settled, each with an event id.

A row has the outcomes of one job that one transaction has settled, packed: a job of a million items then has some
thousand rows, and not a million. Everything else about an outcome is in the row of its attempt. The id of a row is that
of its last outcome, so the next row after an id also has the outcomes that follow it.

The packed form is a list of sections. Each has the same state, and either a run of neighbours or a list of items.
"""

from __future__ import annotations

import contextlib
import struct
import sys
from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jobctl.domain.states import ItemState
from jobctl.store import event_ids
from jobctl.store.cells import checked_cells
from jobctl.store.database import Database

#: State, form, number of outcomes, the attempt of all of them, the first item.
_HEAD = struct.Struct("<BBIqq")
_LISTS_ITEMS, _LISTS_ATTEMPTS, _ARE_WIDE = 1, 2, 4
_STATES = frozenset(map(int, ItemState))


class Section(NamedTuple):
    """Attempts that brought their items into the same state, in the order of the lists."""

    state: int
    items: Sequence[int]
    attempts: Sequence[int] | int  # a number is the attempt of all items


class Pack(NamedTuple):
    """The outcomes of a job that one transaction has settled."""

    id: int  # of the last one
    job: int
    at: int
    size: int  # the number of outcomes
    packed: bytes


class Outcome(NamedTuple):
    """An item whose state was settled, with the number of its last attempt; 0 if it never ran."""

    id: int
    job: int
    at: int
    item: int
    attempt: int
    state: ItemState


def record(database: Database, job: int, at: int, sections: Sequence[Section]) -> None:
    """Write outcomes that are settled in the caller's transaction."""
    count = sum(len(section.items) for section in sections)
    if not count:
        return
    packed = b"".join(map(_pack, sections))
    last = event_ids.take(database, count)
    sql = "INSERT INTO outcomes (id, job, at, count, packed) VALUES (?, ?, ?, ?, ?)"
    database.execute(sql, (last, job, at, count, packed))


def _pack(section: Section) -> bytes:
    state, items, attempts = section
    count = len(items)
    if not count:
        return b""
    if not isinstance(attempts, int) and attempts.count(attempts[0]) == count:
        attempts = attempts[0]
    first = items[0]
    is_run = isinstance(items, range) or list(items) == list(range(first, first + count))
    lists: list[Sequence[int]] = [] if is_run else [items]
    form = 0 if is_run else _LISTS_ITEMS
    if not isinstance(attempts, int):
        lists.append(attempts)
        form |= _LISTS_ATTEMPTS
        attempts = 0
    try:
        packed = b"".join(_bytes("I", numbers) for numbers in lists)
    except OverflowError:
        form |= _ARE_WIDE
        packed = b"".join(_bytes("q", numbers) for numbers in lists)
    return _HEAD.pack(state, form, count, attempts, first) + packed


def _bytes(code: str, numbers: Sequence[int]) -> bytes:
    made = array(code, numbers)
    if sys.byteorder == "big":
        made.byteswap()
    return made.tobytes()


def after(database: Database, since: int, job: int | None = None) -> Iterator[Outcome]:
    """The outcomes of a job, or of all jobs, with ids above ``since``, in the order of their ids."""
    for pack in packs(database, since, job):
        yield from outcomes(pack, since)


def packs(database: Database, since: int, job: int | None = None) -> Iterator[Pack]:
    """The rows with outcomes above ``since``, of a job or of all jobs, in the order of their ids.

    They are read one after another, so the caller may stop at any time.
    """
    of_job, values = ("", (since,)) if job is None else (" AND job = ?", (since, job))
    sql = f"SELECT id, job, at, count, packed FROM outcomes WHERE id > ?{of_job} ORDER BY id"  # noqa: S608
    with contextlib.closing(database.execute(sql, values)) as rows:
        for row in rows:
            yield Pack._make(checked_cells(Pack, row))


def outcomes(pack: Pack, since: int) -> Iterator[Outcome]:
    """The outcomes of a row with ids above ``since``."""
    for number, (state, item, attempt) in enumerate(unpacked(pack.packed), pack.id - pack.size + 1):
        if number > pack.id:  # the row is damaged
            return
        if number > since:
            yield Outcome(number, pack.job, pack.at, item, attempt, state)


def unpacked(packed: bytes) -> Iterator[tuple[ItemState, int, int]]:
    """(state, item, attempt) of each outcome of a row. A row that is damaged ends where it cannot be read."""
    at = 0
    while at + _HEAD.size <= len(packed):
        state, form, count, attempt, first = _HEAD.unpack_from(packed, at)
        at += _HEAD.size
        code, width = ("q", 8) if form & _ARE_WIDE else ("I", 4)
        lists = []
        for _ in range((form & _LISTS_ITEMS) + (form & _LISTS_ATTEMPTS) // _LISTS_ATTEMPTS):
            lists.append(_numbers(code, packed[at : at + width * count]))
            at += width * count
        items = lists.pop(0) if form & _LISTS_ITEMS else range(first, first + count)
        attempts = lists.pop(0) if form & _LISTS_ATTEMPTS else None
        if state not in _STATES or at > len(packed):
            return
        word = ItemState(state)
        for place, item in enumerate(items):
            yield word, item, attempt if attempts is None else attempts[place]


def _numbers(code: str, data: bytes) -> array[int]:
    numbers = array(code)
    numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def count(database: Database, job: int) -> int:
    """The number of outcomes of a job."""
    return int(database.scalar("SELECT coalesce(sum(count), 0) FROM outcomes WHERE job = ?", (job,)))
