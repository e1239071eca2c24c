"""Conditions on items: ``size > 100 and duration > '5m' and cause == 'timeout'``.

The language is that of ``domain.where``. A name is a column of the row, or a column of the outcome: what is known about
the item and its latest attempt. A name that is both is refused; ``row.size`` and ``outcome.duration`` say which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from jobctl.domain.lookalike import lookalike
from jobctl.domain.nearest import nearest
from jobctl.domain.outcome_columns import BY_NAME, NAMES, OutcomeColumn
from jobctl.domain.row_where import RowColumns
from jobctl.domain.where import NoColumn, WhereColumn, compile_condition

ROW, OUTCOME = "row", "outcome"
#: What a damaged row can raise when its values are read.
_UNREADABLE = (ValueError, LookupError, TypeError, RecursionError)
#: The cell that has the row itself.
PAYLOAD = "payload"


class ItemCondition(NamedTuple):
    """A condition on an item."""

    cells: tuple[str, ...]  # the cells that it reads, see ``store.views.selected``
    matches: Callable[[Sequence[Any]], bool]  # of an item with these cells


def compile_item_where(text: str, input_format: str, columns: Sequence[str], now: int) -> ItemCondition:
    """Compile a condition on the items of a job; ``now`` is the present in microseconds UTC.

    Raises UsageError that names the place in the text and the fault there.
    """
    names = _ItemColumns(input_format, columns, now)
    condition = compile_condition(text, names)
    cells, read = names.cells(), names.reader()
    return ItemCondition(cells, lambda found: condition(read(found)))


class _ItemColumns:
    """The columns of a row and of an outcome, and those of them that a condition names."""

    sources: Sequence[str] = (ROW, OUTCOME)

    def __init__(self, input_format: str, columns: Sequence[str], now: int) -> None:
        self._row = RowColumns(input_format, columns)
        self._columns = columns
        self._is_json = input_format == "jsonl"
        self._has_names = input_format != "lines"
        self._now = now
        #: The columns that were found, in the order of their places: places in a row, and columns of the outcome.
        self._found: list[int | OutcomeColumn] = []

    def find(self, name: str, source: str) -> WhereColumn:
        """The column of a name. Raises NoColumn, also for a name that is a column of both."""
        is_row, is_outcome = self._is_of_row(name, source), name in BY_NAME and source != ROW
        if is_row and is_outcome:
            raise NoColumn(
                f"{name} is a column of the row, and {BY_NAME[name].meaning}",
                f"write {ROW}.{_spelled(name)} or {OUTCOME}.{name}",
            )
        if is_outcome:
            return self._outcome(BY_NAME[name], name)
        if not is_row:
            raise self._unknown(name, source)
        found = self._row.find(name)
        return found._replace(place=self._place(found.place))

    def _is_of_row(self, name: str, source: str) -> bool:
        if source == OUTCOME:
            return False
        if not self._has_names:
            return name in ("", "line") or source == ROW
        return name in ("", *self._columns) or (source == ROW and self._is_json)

    def _outcome(self, column: OutcomeColumn, name: str) -> WhereColumn:
        parse = column.parse
        typed = None if parse is None else lambda text: parse(text, self._now)
        return WhereColumn(self._place(column), name, typed, column.has_text)

    def _place(self, column: int | OutcomeColumn) -> int:
        if column not in self._found:
            self._found.append(column)
        return self._found.index(column)

    def _unknown(self, name: str, source: str) -> NoColumn:
        row = () if source == OUTCOME else tuple(self._columns) if self._has_names else ("line",)
        outcome = () if source == ROW else NAMES
        parts = [f"columns of the row: {', '.join(row)}"] if row else []
        parts += [f"columns of the outcome: {', '.join(outcome)}"] if outcome else []
        if self._is_json and not source:
            parts.append(f"{ROW}.{_spelled(name)} for a key that only other rows have")
        alike = lookalike(name, (*row, *outcome))
        near = alike.name if alike is not None else nearest(name, (*row, *outcome))
        meant = f"did you mean {_spelled(near)}? " if near else ""
        return NoColumn("there is no such column", f"{meant}{'; '.join(parts)}; strings are quoted")

    def cells(self) -> tuple[str, ...]:
        """The cells that the found columns are read from, each once."""
        cells = [cell for each in self._found for cell in ((PAYLOAD,) if isinstance(each, int) else each.cells)]
        return tuple(dict.fromkeys(cells))

    def reader(self) -> Callable[[Sequence[Any]], list[Any]]:
        """Return a function that takes the values of the found columns out of the cells of an item."""
        cells = self.cells()
        row = self._row.reader()
        payload = cells.index(PAYLOAD) if PAYLOAD in cells else None
        empty = [""] * len(self._row.names)
        columns = [
            (each, ()) if isinstance(each, int) else (each.read, tuple(map(cells.index, each.cells)))
            for each in self._found
        ]

        def read(found: Sequence[Any]) -> list[Any]:
            fields = empty
            if payload is not None:
                try:
                    fields = row(found[payload])
                except _UNREADABLE:
                    fields = empty  # a damaged row has no values
            return [
                fields[each] if isinstance(each, int) else each(*(found[place] for place in places))
                for each, places in columns
            ]

        return read


def _spelled(name: str) -> str:
    """A name as a condition has it: in braces unless it is a plain word."""
    return name if name.isidentifier() else f"{{{name}}}"
