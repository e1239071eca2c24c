"""The decoder of workbooks of every kind: a sheet becomes a header and rows. It runs in the child process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Protocol

from jobctl.errors import UsageError
from jobctl.sources.cells import BadCell, Cell, SheetRow
from jobctl.sources.decoder import Decoder
from jobctl.sources.problems import Damaged
from jobctl.sources.signature import book_kind
from jobctl.sources.xlsx import SheetInfo

#: The number of rows that are examined to find the beginning of the table and, without a header, its width.
_AHEAD_ROWS = 1_000
#: The number of pieces of the sheet that are read for that; more if they contain no row.
_AHEAD_PIECES = 16
#: The most sheets that a message names.
_MOST_LISTED = 20

Rows = Iterator[tuple[float, list[SheetRow]]]


class BookReader(Protocol):
    """A kind of workbook file."""

    sheets: list[SheetInfo]

    def rows(self, sheet: SheetInfo) -> Rows:
        """Rows with a value in their order, each with the share of the sheet that was read. Raises Damaged."""

    def notices(self) -> list[str]:
        """Notices about the sheet after it was read."""


class SheetDecoder(Decoder):
    """Reads a sheet of a workbook."""

    skips_empty_rows = True

    def header(self) -> tuple[list[str], int | None]:
        self.keeps_bad_cells = bool(self._settings["keep"])
        self._reader = _reader_of(self._file)
        sheet = choose_sheet(self._reader.sheets, self._settings["sheet"], self.notices)
        self._rows = self._reader.rows(sheet)
        self._first_rows: list[SheetRow] = []
        self._read_first_rows()
        if not self._first_rows:
            others = _listed([each for each in self._reader.sheets if each.is_table and each != sheet])
            hint = f"--sheet NAME takes another one: {others}" if others else None
            raise Damaged("empty", f"the sheet {sheet.name!r} is empty", hint=hint)
        return self._columns()

    def _read_first_rows(self) -> None:
        for number, (share, rows) in enumerate(self._rows):
            self._first_rows += rows
            if len(self._first_rows) > _AHEAD_ROWS or (self._first_rows and number >= _AHEAD_PIECES):
                break
            self.watch(share)

    def _columns(self) -> tuple[list[str], int | None]:
        first = self._first_rows[0]
        self._left = min(min(row.cells) for row in self._first_rows)
        if not self._settings["header"]:
            self._width = max(max(row.cells) for row in self._first_rows) - self._left + 1
            return [str(number) for number in range(1, self._width + 1)], None
        del self._first_rows[0]
        last = max(
            (place for place, cell in first.cells.items() if isinstance(cell, BadCell) or cell.strip()), default=0
        )
        self._width = last - self._left + 1
        return [_name(first.cells.get(place, "")) for place in range(self._left, last + 1)], first.number

    def rows(self) -> Iterator[tuple[int | None, Sequence[Any]]]:
        left, width = self._left, self._width
        reported = 0.0
        every_column = [*range(left, left + width)]
        for share, rows in chain([(0.0, self._first_rows)], self._rows):
            for number, cells in rows:
                if [*cells] == every_column:
                    yield number, [*cells.values()]
                    continue
                row: list[Cell] = [""] * width
                for place, cell in cells.items():
                    if 0 <= place - left < width:
                        row[place - left] = cell
                    elif _text(cell).strip():
                        row.append(_text(cell))
                yield number, row
            if not rows or share > reported + 0.01:
                self.watch(share)
                reported = share
        self.notices += self._reader.notices()


def _reader_of(file: Any) -> BookReader:
    """The reader for a workbook. Raises Damaged for another file; the error names its kind."""
    kind = book_kind(file)
    file.seek(0)
    if kind == "xlsx":
        from jobctl.sources.xlsxbook import XlsxBook

        return XlsxBook(file)
    if kind == "ods":
        from jobctl.sources.odsbook import OdsBook

        return OdsBook(file)
    from jobctl.sources.otherbook import OtherBook

    return OtherBook(file, kind)


def choose_sheet(sheets: Sequence[SheetInfo], wanted: str | None, notices: list[str]) -> SheetInfo:
    """The sheet with this name, or the first visible one, with a notice if there are other sheets.

    Raises UsageError for a name that no sheet has, Damaged if the workbook has no visible sheet.
    """
    if wanted is not None:
        return _named(sheets, wanted)
    tables = [sheet for sheet in sheets if sheet.is_table]
    visible = [sheet for sheet in tables if not sheet.is_hidden]
    if not visible:
        hint = f"--sheet NAME takes one of them: {_listed(tables)}" if tables else None
        raise Damaged("workbook", "all its sheets are hidden" if tables else "it has no sheet with cells", hint=hint)
    chosen = visible[0]
    if tables[0] != chosen or len(visible) > 1:
        first = "the first" if tables[0] == chosen else "the first that is not hidden"
        notices.append(f"sheet {chosen.name!r} is read, {first} of: {_listed(tables)}; --sheet NAME takes another one")
    return chosen


def _named(sheets: Sequence[SheetInfo], wanted: str) -> SheetInfo:
    """The sheet with this name; case does not matter, but a name with exactly this spelling takes precedence."""
    same = [sheet for sheet in sheets if sheet.name == wanted]
    same = same or [sheet for sheet in sheets if sheet.name.casefold() == wanted.casefold()]
    if not same:
        raise UsageError(f"--sheet {wanted!r}: there is no such sheet", hint=f"sheets: {_listed(sheets)}")
    if not same[0].is_table:
        tables = [sheet for sheet in sheets if sheet.is_table]
        raise UsageError(f"--sheet {wanted!r} is a chart or a macro sheet", hint=f"sheets: {_listed(tables)}")
    return same[0]


def _listed(sheets: Sequence[SheetInfo]) -> str:
    names = [f"{sheet.name!r}{' (hidden)' if sheet.is_hidden else ''}" for sheet in sheets[:_MOST_LISTED]]
    more = len(sheets) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more else "")


def _name(cell: Cell) -> str:
    if isinstance(cell, BadCell):
        raise Damaged("header", f"a column has no name: cell {cell.place} {cell.message}")
    return cell


def _text(cell: Cell) -> str:
    return cell.text if isinstance(cell, BadCell) else cell
