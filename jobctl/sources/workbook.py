"""A sheet of an xlsx, xlsb, xls or ods file; formulas are the values they had when it was saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jobctl.errors import UsageError
from jobctl.process.isolated import Bounds
from jobctl.sources.decoder import Decoder
from jobctl.sources.problems import Damaged
from jobctl.sources.table import Table, text_of


class Workbook(Table):
    """A sheet of an xlsx, xlsb, xls or ods file, as a child process reads it."""

    _what = "a workbook"
    _package = "python_calamine"
    _extra = "xlsx"
    _decoder = "jobctl.sources.workbook:SheetDecoder"
    _bounds = Bounds(memory=2 << 30, cpu_s=300)
    _way_out = "save the sheet as CSV"

    def _settings(self) -> dict[str, Any]:
        return {"sheet": self._options.sheet, "header": self._kind.header}


class SheetDecoder(Decoder):
    """Reads a sheet with calamine."""

    skips_empty_rows = True
    _rows: Iterator[tuple[int, list[Any]]]

    def header(self) -> tuple[list[str], int | None]:
        from python_calamine import CalamineError, CalamineWorkbook

        try:
            book = CalamineWorkbook.from_filelike(self._file)
            names = book.sheet_names
            wanted = self._settings["sheet"]
            if wanted is not None and wanted not in names:
                raise UsageError(
                    f"--sheet {wanted!r}: there is no such sheet", hint=f"sheets: {', '.join(map(repr, names))}"
                )
            sheet = book.get_sheet_by_name(names[0] if wanted is None else wanted)
            self._rows = iter(enumerate(sheet.iter_rows(), 1))
        except CalamineError as error:
            raise Damaged("workbook", f"this is no workbook that can be read: {error}") from error
        return self._first_row(f"the sheet {sheet.name!r} is empty")

    def _first_row(self, empty: str) -> tuple[list[str], int | None]:
        for line, row in self._rows:
            texts = [text_of(value) for value in row]
            if not any(texts):
                continue
            if not self._settings["header"]:
                self._rows = _again((line, row), self._rows)
                return [str(number) for number in range(1, len(texts) + 1)], None
            while texts and not texts[-1].strip():
                texts.pop()
            return texts, line
        raise Damaged("empty", empty)

    def rows(self) -> Iterator[tuple[int | None, Sequence[Any]]]:
        yield from self._rows


def _again(first: tuple[int, list[Any]], rest: Iterator[tuple[int, list[Any]]]) -> Iterator[tuple[int, list[Any]]]:
    yield first
    yield from rest
