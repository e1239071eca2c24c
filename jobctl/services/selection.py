"""The items of a job that a selection chooses, for every command that acts on items.

States, causes and numbers are found by the database. Only a condition (``--where``) reads rows, page by page.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from jobctl.domain import outcome
from jobctl.domain.selection import Selection
from jobctl.domain.spans import Span, joined, spelled
from jobctl.domain.states import ItemState
from jobctl.domain.wording import number, plural
from jobctl.errors import UsageError, no_such_job
from jobctl.store import clock, selected
from jobctl.store.database import Database
from jobctl.store.views import items as item_views
from jobctl.store.views import jobs as job_views
from jobctl.store.views.items import AttemptView, ItemView

if TYPE_CHECKING:
    from jobctl.domain.item_where import ItemCondition
    from jobctl.services.control.targets import Target

#: Items of one page.
PAGE = 500
#: The most characters of one part of a selection in a message or in the journal.
_LONGEST_PART = 200


class SelectedItems:
    """The items of one job that a selection chooses, in their order."""

    def __init__(
        self, database: Database, job: int, selection: Selection, *, now: int, default: Sequence[ItemState] = ()
    ) -> None:
        """``default`` are the states of a selection that names none; without any, all items. ``now``: microseconds UTC.

        Raises NotFound, and UsageError for a condition that the columns of the job do not allow.
        """
        self._database = database
        self.job = job
        self.selection = selection
        self.default = tuple(default)
        self._condition = _condition(database, job, selection.where, now) if selection.where else None

    @property
    def is_fixed(self) -> bool:
        """True if numbers and values of rows decide alone, so that an item is chosen or not whatever it does."""
        cells = () if self._condition is None else self._condition.cells
        return not (self.selection.names_kinds or self.default) and set(cells) <= {"item", "payload"}

    def _query(self) -> selected.Query:
        return selected.Query(self._database, self.job, self.selection, self.default)

    def numbers(self, after: int = 0, until: int | None = None) -> Iterator[int]:
        """Yield the numbers of the items above ``after`` and up to ``until``."""
        condition, last = self._condition, selected.LARGEST if until is None else until
        if condition is None:
            return (row[0] for row in self._query().rows((), after, last))
        return (row[0] for row in self._query().rows(condition.cells, after, last) if condition.matches(row[1:]))

    def pages(self, after: int = 0, size: int = PAGE) -> Iterator[list[int]]:
        """Yield the same numbers in lists of at most ``size``."""
        numbers = self.numbers(after)
        while page := list(itertools.islice(numbers, size)):
            yield page

    def views(self, after: int = 0, size: int = PAGE) -> Iterator[ItemView]:
        """Yield the items above ``after`` with their latest attempts; reads ``size`` items at a time."""
        if self._condition is None:
            yield from self._query().views(after, size)
            return
        for page in self.pages(after, size):
            yield from item_views.items(self._database, self.job, page)

    def has_attempt(self, attempt: AttemptView) -> bool:
        """Return whether the selection chooses an item of which this attempt, which has ended, is the last one."""
        state = ItemState.SUCCEEDED if outcome.has_succeeded(attempt.ending, attempt.code) else ItemState.FAILED
        unknown = attempt.ending is not None and not outcome.is_known(attempt.ending)
        if not self.selection.chooses(state, self._causes(attempt) if self.selection.causes else (), unknown=unknown):
            return False
        facts = attempt._asdict() | {"state": state}
        cells = () if self._condition is None else self._condition.cells
        query = selected.Query(self._database, self.job, replace(self.selection, states=(), causes=(), unknown=False))
        found = next(query.rows(cells, attempt.item - 1, attempt.item), None)
        if found is None or self._condition is None:
            return found is not None
        return self._condition.matches([facts.get(cell, value) for cell, value in zip(cells, found[1:], strict=True)])

    def _causes(self, attempt: AttemptView) -> list[str]:
        """The names of the cause of an attempt: its code, and the code with the number of the cause."""
        code = outcome.failure_code(attempt.ending or 0, attempt.code, attempt.flags)
        group = item_views.cause_of_attempt(self._database, self.job, attempt.item, attempt.attempt)
        return [code, f"{code}:{group}"]

    def count(self) -> int:
        """Return the number of the items. A condition reads all rows that the other parts of the selection choose."""
        return self._query().count() if self._condition is None else sum(1 for _ in self.numbers())

    def choose(self, database: Database) -> int:
        """Put the items into ``temp.chosen`` for statements of this connection; returns their number."""
        return selected.choose_items(database, self.job, self.numbers())


def _condition(database: Database, job: int, text: str, now: int) -> ItemCondition:
    from jobctl.domain.item_where import compile_item_where  # parses with ast, which few commands need

    row = job_views.job(database, job)
    if row is None:
        raise no_such_job(job)
    # Stored times refer to the clock as it was when it was read last.
    return compile_item_where(text, row.input_format, json.loads(row.columns), clock.in_store(database, now))


def with_items(selection: Selection, numbers: Sequence[range], target: str) -> Selection:
    """Return a selection of the items that a target such as ``42.17`` names.

    Raises UsageError if the selection names items as well.
    """
    if not numbers:
        return selection
    if selection.items:
        raise UsageError(
            f"{target} names items, and so does --items {spelled(selection.items)}", hint="name them in one place"
        )
    return replace(selection, items=joined(Span(span.start, span.stop - 1) for span in numbers))


def for_each_job(targets: Sequence[Target], chosen: Selection, done: str) -> dict[int, Selection]:
    """Return ``chosen`` for each job of the targets, with the items that are named; ``done`` is the verb: ``retried``.

    Raises UsageError if both a job and items of it are named, or items in two places.
    """
    by_job: dict[int, list[range]] = {}
    for target in targets:
        by_job.setdefault(target.job, []).extend(() if target.items is None else (target.items,))
    if any(target.item is None and by_job[target.job] for target in targets):
        raise UsageError(f"a job and items of it cannot be {done} together", hint="name the job, or its items")
    return {job: with_items(chosen, items, f"{job}.N") for job, items in by_job.items()}


def nothing_selected(database: Database, chosen: SelectedItems, where: str = "") -> str:
    """Return a sentence about a selection of nothing: how many items each of its parts leaves, and which one none.

    ``where`` is a condition that none of the items fits, if the selection does not have it itself.
    """
    row = job_views.job(database, chosen.job)
    if row is None or not row.total:
        return f"job {chosen.job} has no items"
    whole = replace(chosen.selection, where=chosen.selection.where or where)
    if whole.is_default:
        return f"job {chosen.job}: none of its {plural(row.total, 'item')} is {_one_of(chosen.default)}"
    left, said = row.total, list[str]()
    for part, selection in _narrowing(whole, chosen.default):
        count = 0 if selection.where else selected.Query(database, chosen.job, selection, chosen.default).count()
        said.append(f"{'none' if not count else number(count)} of {'them' if said else _all(left)} {part}")
        if not count:
            break
        left = count
    return f"job {chosen.job}: {', '.join(said)}"


def shortened(text: str) -> str:
    """A part of a selection that is short enough for a sentence: a person may name thousands of numbers."""
    return text if len(text) <= _LONGEST_PART else f"{text[: _LONGEST_PART - 3]}..."


def _all(total: int) -> str:
    return f"its {plural(total, 'item')}" if total > 1 else "its one item"


def _one_of(states: Sequence[ItemState]) -> str:
    *most, last = (state.word for state in states)
    return f"{', '.join(most)} or {last}" if most else last


def _narrowing(selection: Selection, default: Sequence[ItemState]) -> Iterator[tuple[str, Selection]]:
    """The parts of a selection in words, each with the selection up to it."""
    so_far = Selection()
    if default and not selection.names_kinds:
        yield f"are {_one_of(default)}", so_far
    if selection.items:
        so_far = replace(so_far, items=selection.items)
        yield f"have the numbers {shortened(spelled(selection.items))}", so_far
    if selection.states or selection.unknown:
        states = [state.word for state in selection.states] + ["failed with an unknown outcome"] * selection.unknown
        so_far = replace(so_far, states=selection.states, unknown=selection.unknown)
        yield f"are {' or '.join(states)}", so_far
    if selection.causes:
        so_far = replace(so_far, causes=selection.causes)
        yield f"have the cause {shortened(' or '.join(selection.causes))}", so_far
    if selection.where:
        yield f"fit --where {shortened(selection.where)!r}", selection
