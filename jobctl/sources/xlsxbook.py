"""An xlsx file as a workbook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from jobctl.domain.wording import plural
from jobctl.sources.cells import SheetRow
from jobctl.sources.package import Package
from jobctl.sources.problems import Damaged
from jobctl.sources.xlsx import Book, SheetInfo, Strings, formats, main_part, strings
from jobctl.sources.xlsxsheet import CellRules, Sheet, sheet_rows


class XlsxBook:
    """An xlsx file. Its cells are read one by one, because only that tells an error from an empty cell."""

    def __init__(self, file: BinaryIO) -> None:
        """Raises Damaged."""
        self._package = Package(file)
        self._book = Book(self._package)
        self.sheets: list[SheetInfo] = self._book.sheets
        self._sheet: Sheet | None = None

    def rows(self, sheet: SheetInfo) -> Iterator[tuple[float, list[SheetRow]]]:
        """Rows with a value in their order, each with the share of the sheet that was read. Raises Damaged."""
        size = self._package.size(sheet.part)
        if not size:
            raise Damaged("workbook", f"the file lacks the sheet {sheet.name!r}, which it lists")
        part, found = main_part(self._package), Strings()
        for _ in strings(self._package, part, found):
            yield 0.0, []
        rules = CellRules(found, formats(self._package, part), self._book.from_1904, self._book.is_uncalculated)
        self._sheet = Sheet(rules)
        for read, rows in sheet_rows(self._package, sheet.part, self._sheet):
            yield read / size, rows

    def notices(self) -> list[str]:
        """Notices about the sheet after it was read."""
        notices, sheet = [], self._sheet
        if sheet is not None and sheet.uncalculated:
            notices.append(
                f"{plural(sheet.uncalculated, 'formula')} of the sheet may have outdated values: the program that "
                "wrote the file did not calculate them; open it in a spreadsheet program and save it"
            )
        if sheet is not None and sheet.hidden_rows:
            were = "was" if sheet.hidden_rows == 1 else "were"
            rows = plural(sheet.hidden_rows, "row")
            notices.append(f"{rows} hidden in the sheet (perhaps by a filter) {were} read, too")
        if sheet is not None and sheet.hidden_columns:
            notices.append(f"hidden in the sheet, and read, too: column {', '.join(sheet.hidden_columns[:20])}")
        return notices
