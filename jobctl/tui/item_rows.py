"""The items of a job as rows of a table, read where the table is looked at; and the thread that searches items."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from jobctl.config import Home
from jobctl.errors import JobctlError
from jobctl.process.moment import now as now_us
from jobctl.render.items import item_cells
from jobctl.render.look import Look
from jobctl.services.output.item_search import BY_DURATION, ORDERS, ItemSearch, found_items
from jobctl.store import sqlite
from jobctl.store.opening.open import open_database
from jobctl.tui.grid import Column, Row
from jobctl.tui.reader import Reader

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument

#: A search is repeated after a change, but not before this many times its duration has passed.
_REST = 10


class ItemRows:
    """Rows for the items with these numbers."""

    def __init__(
        self, reader: Reader, job: StatusDocument, numbers: Sequence[int], look: Look, *, ascending: bool
    ) -> None:
        """``ascending``: the numbers go up."""
        self._ascending = ascending
        self._reader, self._job, self._numbers, self._look = reader, job, numbers, look
        self._widest: dict[str, int] = {}
        self._titles: list[Text] = []
        self._states: dict[int, str] = {}

    def state_of(self, item: int) -> str | None:
        """The state of an item that was read."""
        return self._states.get(item)

    def keeps_widths_of(self, before: ItemRows | None) -> None:
        """Use the widths of the columns of earlier rows of the same job."""
        if before is not None and before._look.width == self._look.width:
            self._widest, self._titles = before._widest, before._titles

    def __len__(self) -> int:
        return len(self._numbers)

    def read(self, first: int, count: int) -> list[Row]:
        """Read some items."""
        numbers = self._numbers[first : first + count]
        try:
            found = self._reader.items_of(self._job, numbers)
        except sqlite.Error as error:
            return [Row(str(number), [Text(f"{number}  cannot be read: {error}")]) for number in numbers]
        if not numbers:  # no widths can be learned from it
            return []
        self._states = {item["item"]: item["state"] for item in found if item is not None}
        self._titles, cells = item_cells([item for item in found if item is not None], self._look, self._widest)
        rows = iter(cells)
        return [
            Row(str(number), [Text(f"{number}  is not in the store")] if item is None else next(rows))
            for number, item in zip(numbers, found, strict=True)
        ]

    def columns(self) -> list[Column]:
        """Return the headings."""
        if not self._titles:
            self._titles, _ = item_cells([], self._look, {})
        return [Column(name if (name := title.plain.strip()) in ORDERS else "", title) for title in self._titles]

    def place(self, key: str) -> int | None:
        """Return the place of an item."""
        number = int(key)
        if self._ascending:  # a million numbers are not looked through
            place = bisect_left(self._numbers, number)
            return place if place < len(self._numbers) and self._numbers[place] == number else None
        try:
            return self._numbers.index(number)
        except ValueError:
            return None


class Found(NamedTuple):
    """What a search has found so far."""

    wanted: ItemSearch
    numbers: Sequence[int]
    done: bool
    error: str = ""


class Searcher:
    """Searches items in a thread of its own, so that keys act meanwhile; the latest search is the only one."""

    def __init__(self, home: Home, job: int, tell: Callable[[Found], object]) -> None:
        """``tell`` is called in the thread, with more and more numbers of a search."""
        self._home, self._job, self._tell = home, job, tell
        self._thread: Thread | None = None
        self._ended = Event()
        self._rests_until = 0.0

    def begin(self, wanted: ItemSearch) -> None:
        """Begin a search; an earlier one ends."""
        self.end()
        self._start(wanted, quiet=False)

    def repeat(self, wanted: ItemSearch) -> None:
        """Search again because items have changed, unless a search is under way or has just ended."""
        if (self._thread is None or not self._thread.is_alive()) and time.monotonic() >= self._rests_until:
            self._start(wanted, quiet=True)

    def end(self) -> None:
        """End the search. Its thread ends after its present page; nothing waits for it."""
        self._ended.set()

    def _start(self, wanted: ItemSearch, *, quiet: bool) -> None:
        ended = self._ended = Event()
        self._thread = Thread(target=self._run, args=(wanted, ended, quiet), name="search", daemon=True)
        self._thread.start()

    def _run(self, wanted: ItemSearch, ended: Event, quiet: bool) -> None:
        began = time.monotonic()
        try:
            numbers = self._search(wanted, ended, quiet)
        except (JobctlError, sqlite.Error) as error:
            self._tell(Found(wanted, (), True, str(getattr(error, "message", error))))
            return
        self._rests_until = time.monotonic() + _REST * (time.monotonic() - began)
        if not ended.is_set():
            self._tell(Found(wanted, _turned(numbers, wanted), True))

    def _search(self, wanted: ItemSearch, ended: Event, quiet: bool) -> array[int]:
        numbers, told = array("q"), 0
        database = open_database(self._home)
        try:
            for page in found_items(database, self._job, wanted, now=now_us()):
                if ended.is_set():
                    break
                numbers.extend(page)
                if not quiet and len(numbers) > 2 * told:  # the first page at once, then less and less often
                    told = len(numbers)
                    self._tell(Found(wanted, _turned(numbers, wanted), False))
        finally:
            database.close()
        return numbers


def _turned(numbers: array[int], wanted: ItemSearch) -> Sequence[int]:
    turn = wanted.backwards and wanted.order != BY_DURATION
    return numbers[::-1] if turn else numbers[:]
