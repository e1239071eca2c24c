"""The items of a job that a selection chooses, for every command that acts on items.

States, causes and numbers are found by the database. Only a condition (``--where``) reads rows, page by page.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from jobctl.domain.selection import Selection
from jobctl.domain.spans import Span
from jobctl.domain.states import ItemState
from jobctl.errors import UsageError, no_such_job
from jobctl.store import selected
from jobctl.store.database import Database
from jobctl.store.views import jobs as job_views

if TYPE_CHECKING:
    from jobctl.domain.item_where import ItemCondition

#: Items of one page.
PAGE = 500


class SelectedItems:
    """The items of one job that a selection chooses, in their order."""

    def __init__(
        self, database: Database, job: int, selection: Selection, *, now: int, default: Sequence[ItemState] = ()
    ) -> None:
        """``default`` are the states of a selection that names none; without any, all items. ``now``: microseconds UTC.

        Raises NotFound, and UsageError for a condition that the columns of the job do not allow.
        """
        self.job = job
        self.selection = selection
        self._condition = _condition(database, job, selection.where, now) if selection.where else None
        self._query = selected.Query(database, job, selection, default)

    def numbers(self, after: int = 0) -> Iterator[int]:
        """Yield the numbers of the items above ``after``."""
        condition = self._condition
        if condition is None:
            return (row[0] for row in self._query.rows(after=after))
        return (row[0] for row in self._query.rows(condition.cells, after) if condition.matches(row[1:]))

    def pages(self, after: int = 0, size: int = PAGE) -> Iterator[list[int]]:
        """Yield the same numbers in lists of at most ``size``."""
        numbers = self.numbers(after)
        while page := list(itertools.islice(numbers, size)):
            yield page

    def count(self) -> int:
        """Return the number of the items. A condition reads all rows that the other parts of the selection choose."""
        return self._query.count() if self._condition is None else sum(1 for _ in self.numbers())

    def choose(self, database: Database) -> int:
        """Put the items into ``temp.chosen`` for statements of this connection; returns their number."""
        return selected.choose_items(database, self.job, self.numbers())


def _condition(database: Database, job: int, text: str, now: int) -> ItemCondition:
    from jobctl.domain.item_where import compile_item_where  # parses with ast, which few commands need

    row = job_views.job(database, job)
    if row is None:
        raise no_such_job(job)
    return compile_item_where(text, row.input_format, json.loads(row.columns), now)


def with_items(selection: Selection, numbers: Sequence[range], target: str) -> Selection:
    """Return a selection of the items that a target such as ``42.17`` names.

    Raises UsageError if the selection names items as well.
    """
    if not numbers:
        return selection
    if selection.items:
        from jobctl.domain.spans import spelled

        raise UsageError(
            f"{target} names items, and so does --items {spelled(selection.items)}", hint="name them in one place"
        )
    from jobctl.domain.spans import joined

    return replace(selection, items=joined(Span(span.start, span.stop - 1) for span in numbers))
