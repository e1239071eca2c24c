"""Reads an xls, xlsb or ods file as a workbook with calamine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, BinaryIO

from jobctl.sources.cells import Cell, SheetRow
from jobctl.sources.contents import SAVE_ADVICE
from jobctl.sources.errorcells import error_cells
from jobctl.sources.problems import Damaged
from jobctl.sources.table import missing_package, text_of
from jobctl.sources.xlsx import SheetInfo

_PIECE = 1_000


class OtherBook:
    """A workbook that calamine reads, which keeps a whole sheet in memory and reads dates without their formats."""

    def __init__(self, file: BinaryIO, kind: str) -> None:
        """Raises Damaged, UsageError."""
        try:
            import python_calamine
        except ImportError as error:
            raise missing_package(f"a workbook ({kind})", "xlsx") from error
        self._kind = kind
        self._file = file
        with self._reporting_damage():
            self._book = python_calamine.CalamineWorkbook.from_filelike(file)
        self.sheets = [
            SheetInfo(
                each.name,
                each.visible != python_calamine.SheetVisibleEnum.Visible,
                each.typ == python_calamine.SheetTypeEnum.WorkSheet,
            )
            for each in self._book.sheets_metadata
        ]

    def rows(self, sheet: SheetInfo) -> Iterator[tuple[float, list[SheetRow]]]:
        """Rows with a value in their order, each with the share of the sheet that was read. Raises Damaged."""
        with self._reporting_damage():
            found = self._book.get_sheet_by_name(sheet.name)
        if found.start is None or found.end is None:
            return
        errors = error_cells(self._file, self._kind, self.sheets.index(sheet))
        timed = _timed_columns(found)
        left = found.start[1] + 1
        rows: list[SheetRow] = []
        for number, values in enumerate(found.iter_rows(), 1):
            cells = {left + place: _cell(value, place in timed) for place, value in enumerate(values) if value != ""}
            cells.update(errors.pop(number, {}))
            if cells:
                rows.append(SheetRow(number, cells))
            if number % _PIECE == 0:
                yield number / (found.end[0] + 1), rows
                rows = []
        yield 1.0, rows + [SheetRow(number, {**cells}) for number, cells in sorted(errors.items())]

    @contextlib.contextmanager
    def _reporting_damage(self) -> Iterator[None]:
        """Raises Damaged for every error of calamine, even for a panic, which is not a subclass of Exception."""
        try:
            yield
        except (MemoryError, KeyboardInterrupt):
            raise
        except BaseException as error:
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            reason = str(error).partition("\n")[0][:200]
            message = f"the {self._kind} workbook is damaged, or in a form that cannot be read ({reason})"
            raise Damaged("workbook", message, hint=SAVE_ADVICE) from error

    def notices(self) -> list[str]:
        """Notices about the sheet after it was read."""
        return []


def _timed_columns(sheet: Any) -> set[int]:
    """Columns in which some date has a time: every date of such a column is written with its time, even midnight."""
    found: set[int] = set()
    for values in sheet.iter_rows():
        for place, value in enumerate(values):
            if type(value) is datetime:
                found.add(place)
    return found


def _cell(value: Any, is_timed: bool) -> Cell:
    if type(value) is date and is_timed:
        return datetime.combine(value, time()).isoformat()
    return text_of(value)
