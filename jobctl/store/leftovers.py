"""Records the processes that attempts left behind and that were ended: their number and some names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jobctl.domain.ports import Finished
from jobctl.domain.wording import plural
from jobctl.store.database import Database

_PAGE = 1_000


class Leftovers(NamedTuple):
    """Processes that one attempt left behind."""

    item: int
    attempt: int
    processes: int
    names: str


class LeftoversOfJob(NamedTuple):
    """Processes that all attempts of a job left behind, with the names of its last item."""

    items: int
    processes: int
    item: int
    names: str


def parse(text: str) -> tuple[int, str]:
    """Number and names in the text of a supervisor."""
    number, _, names = text.partition(" ")
    return int(number) if number.isdecimal() and len(number) < 10 else 1, names


def sentence(finished: Finished) -> str:
    """The reason why an attempt failed that must not leave processes behind."""
    number, names = parse(finished.left)
    which = "which was ended" if number == 1 else "which were ended"
    return f"it left {plural(number, 'process', 'processes')} behind, {which}{f': {names}' if names else ''}"


def record(database: Database, finished: Sequence[Finished]) -> None:
    """Record the processes that these attempts left behind. The supervisor's text has their number, and names."""
    rows = [(*each[:3], *parse(each.left)) for each in finished if each.left]
    if rows:
        database.executemany(
            "INSERT OR REPLACE INTO leftovers (job, item, attempt, count, names) VALUES (?, ?, ?, ?, ?)", rows
        )


def of_items(database: Database, job: int, first: int, last: int) -> dict[tuple[int, int], Leftovers]:
    """The processes that the attempts of some items left behind, by item and attempt."""
    sql = (
        "SELECT item, attempt, CAST(count AS INTEGER), CAST(names AS TEXT) FROM leftovers"
        " WHERE job = ? AND item BETWEEN ? AND ?"
    )
    return {(row[0], row[1]): Leftovers(*row) for row in database.execute(sql, (job, first, last))}


def summary(database: Database, job: int) -> LeftoversOfJob | None:
    """The processes that all attempts of a job left behind; None without any."""
    found = database.one(
        "SELECT count(DISTINCT item), sum(CAST(count AS INTEGER)), max(item) FROM leftovers WHERE job = ?", (job,)
    )
    if found is None or not found[0]:
        return None
    names = database.scalar(
        "SELECT CAST(names AS TEXT) FROM leftovers WHERE job = ? AND item = ? ORDER BY attempt DESC LIMIT 1",
        (job, found[2]),
    )
    return LeftoversOfJob(found[0], found[1], found[2], names or "")


class LeftoversOfItems:
    """The processes that the items of a job left behind, read in pages. Items are asked for in ascending order."""

    def __init__(self, database: Database, job: int) -> None:
        self._database = database
        self._job = job
        self._page: dict[tuple[int, int], Leftovers] = {}
        self._last = 0  # the last item of the page
        #: True if any item left processes behind.
        self.has_any = database.scalar("SELECT 1 FROM leftovers WHERE job = ? LIMIT 1", (job,)) is not None

    def text(self, item: int, attempt: int) -> str:
        """A number and names: ``2 ffmpeg, gpg-agent``; empty for an attempt that left nothing."""
        if item > self._last:
            self._last = item + _PAGE
            self._page = of_items(self._database, self._job, item, self._last)
        found = self._page.get((item, attempt))
        return "" if found is None else f"{found.processes} {found.names}".rstrip()
