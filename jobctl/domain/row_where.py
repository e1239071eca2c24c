"""Conditions on the columns of a row, as ``submit --where`` takes them: the columns of every format of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jobctl.domain.lookalike import column_hint
from jobctl.domain.payload import SEPARATOR, json_object, json_values
from jobctl.domain.where import NoColumn, WhereColumn, compile_condition

#: The name of the line itself, for plain lines.
LINE = "line"


def compile_where(text: str, input_format: str, columns: Sequence[str]) -> Callable[[bytes], bool]:
    """Return a function that tells of a payload whether its row is selected.

    Raises UsageError that names the place in the text, the fault there, and the allowed syntax.
    """
    row = RowColumns(input_format, columns)
    condition = compile_condition(text, row)
    read = row.reader()
    return lambda payload: condition(read(payload))


class RowColumns:
    """The columns of a row, and those of them that a condition names."""

    sources: Sequence[str] = ()

    def __init__(self, input_format: str, columns: Sequence[str]) -> None:
        self._format = input_format
        self._columns = columns
        #: The names that were found, in the order of their places.
        self.names: list[str] = []

    def find(self, name: str, source: str = "") -> WhereColumn:  # noqa: ARG002 - there is one source
        """The column of a name; an empty name is the first column. Raises NoColumn."""
        if self._format == "lines":
            if name not in ("", LINE):
                raise NoColumn("plain lines have no columns", "write line or {} for the line")
            name = LINE
        elif self._format != "jsonl" or not name:
            name = name or next(iter(self._columns), "")
            if name not in self._columns:
                there = f"columns: {', '.join(self._columns)}; strings are quoted"
                raise NoColumn("there is no such column", column_hint(name, self._columns, there))
        if name not in self.names:
            self.names.append(name)
        return WhereColumn(self.names.index(name), name)

    def reader(self) -> Callable[[bytes], list[str]]:
        """Return a function that takes the values of the found columns out of a payload."""
        names = tuple(self.names)
        if self._format == "jsonl":
            return lambda payload: _json_fields(payload, names)
        if self._format == "lines":
            return lambda payload: [payload.decode()] * len(names)
        places = [self._columns.index(name) for name in names]

        def read(payload: bytes) -> list[str]:
            fields = payload.decode().split(SEPARATOR.decode())
            return [fields[place] for place in places]

        return read


def _json_fields(payload: bytes, names: Sequence[str]) -> list[str]:
    """The values of a JSON row. A key that the row lacks is empty, as null is."""
    try:
        values = json_values(payload, names)
    except KeyError:
        row = json_object(payload)
        values = [json_values(payload, (name,))[0] if name in row else b"" for name in names]
    return [value.decode() for value in values]
