"""Reads an ods file as a workbook: one part of the file has all sheets, with the types and errors of cells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import BinaryIO

from jobctl.sources.cells import MOST_COLUMNS, MOST_ROWS, UNSAVED, BadCell, Cell, SheetRow, number_text, place_name
from jobctl.sources.moments import timedelta_text
from jobctl.sources.package import DEEPEST, Handlers, Package
from jobctl.sources.problems import Damaged, encrypted_workbook
from jobctl.sources.stream import RECORD_LIMIT
from jobctl.sources.xlsx import SheetInfo

_CONTENT = "content.xml"
_DURATION = re.compile(r"(-?)P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")
#: The texts of cells with a broken formula, in files that do not mark them as errors.
_SHOWN = re.compile(r"#N/A|#DIV/0!|#REF!|#VALUE!|#NAME\?|#NUM!|#NULL!|Err:\d+")
#: The most values of a single repeated row, counted with its repetitions; more of them are an attack.
_MOST_REPEATED = 5_000_000
_CELLS = ("table-cell", "covered-table-cell")


class OdsBook:
    """An ods file. Its sheets follow each other in one part; everything before the wanted sheet is skipped."""

    def __init__(self, file: BinaryIO) -> None:
        """Raises Damaged."""
        self._package = Package(file)
        if b"encryption-data" in self._package.small("META-INF/manifest.xml"):
            raise encrypted_workbook()
        self._styles = _Styles()
        for part in ("styles.xml", _CONTENT):
            for _ in self._package.parse(part, self._styles) if self._package.size(part) else ():
                pass
        self.sheets = [SheetInfo(name, style in self._styles.hidden) for name, style in self._styles.tables]

    def rows(self, sheet: SheetInfo) -> Iterator[tuple[float, list[SheetRow]]]:
        """Rows with a value in their order, each with the share of the file that was read. Raises Damaged."""
        size = self._package.size(_CONTENT)
        found = OdsSheet(sheet.name, self._styles.dated, self._styles.timed)
        for read in self._package.parse(_CONTENT, found):
            for number, cells, times in found.take_rows():
                if len(cells) * times > _MOST_REPEATED:
                    raise Damaged("workbook", f"a row with {len(cells):,} values is repeated {times:,} times", number)
                for first in range(number, number + times, 1_000):
                    last = min(first + 1_000, number + times)
                    yield read / size, [SheetRow(each, cells) for each in range(first, last)]
            yield read / size, []
            if found.is_over:
                return

    def notices(self) -> list[str]:
        """Notices about the sheet after it was read."""
        return []


class _Styles(Handlers):
    """The names of the sheets, the styles that hide a sheet, and the styles of cells with a date or a moment."""

    def __init__(self) -> None:
        self.tables: list[tuple[str, str]] = []
        self.hidden: set[str] = set()
        self.dated: set[str] = set()
        self.timed: set[str] = set()
        self._date_formats: set[str] = set()
        self._timed_formats: set[str] = set()
        self._formats: dict[str, str] = {}
        self._style = self._format = ""
        self._tables_open = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        if name == "table":
            self._tables_open += 1
            if self._tables_open == 1:
                self.tables.append((attributes.get("table:name", ""), attributes.get("table:style-name", "")))
        elif name == "style":
            self._style = attributes.get("style:name", "")
            self._formats[self._style] = attributes.get("style:data-style-name", "")
        elif name == "table-properties" and attributes.get("table:display") == "false":
            self.hidden.add(self._style)
        elif name == "date-style":
            self._format = attributes.get("style:name", "")
            self._date_formats.add(self._format)
        elif name == "hours" and self._format:
            self._timed_formats.add(self._format)

    def end(self, name: str) -> None:
        super().end(name)
        if name == "table":
            self._tables_open -= 1
        elif name == "date-style":
            self._format = ""
        elif name in ("automatic-styles", "styles"):
            self.dated |= {style for style, code in self._formats.items() if code in self._date_formats}
            self.timed |= {style for style, code in self._formats.items() if code in self._timed_formats}


class OdsSheet(Handlers):
    """Reads the elements of the part with all sheets and makes rows from one sheet."""

    def __init__(self, name: str, dated: set[str], timed: set[str]) -> None:
        self.is_over = False
        self._name = name
        self._dated, self._timed = dated, timed
        self._ready: list[tuple[int, dict[int, Cell], int]] = []
        self._cells: dict[int, Cell] = {}
        self._tables = 0
        self._inside = self._in_cell = False
        self._row = self._column = 1
        self._row_times = 1
        self._column_styles: list[tuple[int, str]] = []  # (last column, style)
        self._attributes: dict[str, str] = {}
        self._texts: list[str] = []
        self._room = 0
        self._paragraphs = self._open_paragraphs = self._notes = 0

    def take_rows(self) -> list[tuple[int, dict[int, Cell], int]]:
        """Complete rows with a value: the number, the cells, and the number of times that the row is repeated."""
        rows, self._ready = self._ready, []
        return rows

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Damaged("workbook", "the sheet is nested too deeply")
        if name == "table":
            self._tables += 1
            self._inside = self._inside or (self._tables == 1 and attributes.get("table:name") == self._name)
        elif not self._inside or self.is_over or self._tables != 1:
            return
        elif name in _CELLS:
            self._attributes, self._in_cell = attributes, True
            self._texts, self._paragraphs = [], 0
        elif name == "table-row":
            self._row_times = _repeats(attributes, "table:number-rows-repeated")
            self._cells, self._column, self._room = {}, 1, RECORD_LIMIT
        elif name == "table-column":
            last = self._column_styles[-1][0] if self._column_styles else 0
            last += _repeats(attributes, "table:number-columns-repeated")
            self._column_styles.append((last, attributes.get("table:default-cell-style-name", "")))
        elif self._in_cell:
            self._start_text(name, attributes)

    def _start_text(self, name: str, attributes: dict[str, str]) -> None:
        if name == "annotation":
            self._notes += 1
        elif self._notes:
            return
        elif name == "p":
            self._open_paragraphs += 1
            self._paragraphs += 1
            if self._paragraphs > 1:
                self._texts.append("\n")
        elif name == "s":
            self._texts.append(" " * min(_repeats(attributes, "text:c"), 1_000))
        elif name in ("tab", "line-break"):
            self._texts.append("\t" if name == "tab" else "\n")

    def text(self, text: str) -> None:
        if self._open_paragraphs and not self._notes and self._room >= 0:
            self._room -= len(text)
            self._texts.append(text)

    def end(self, name: str) -> None:
        self.depth -= 1
        if name == "table":
            self._tables -= 1
            self.is_over = self.is_over or (self._inside and not self._tables)
        elif not self._inside or self.is_over or self._tables != 1:
            return
        elif name in _CELLS:
            self._end_cell()
        elif name == "table-row":
            if self._cells:
                self._ready.append((self._row, self._cells, min(self._row_times, max(MOST_ROWS - self._row + 1, 1))))
            self._row += self._row_times
        elif name == "annotation":
            self._notes -= 1
        elif name == "p" and not self._notes and self._open_paragraphs:
            self._open_paragraphs -= 1

    def _end_cell(self) -> None:
        self._in_cell = False
        times = _repeats(self._attributes, "table:number-columns-repeated")
        first, self._column = self._column, self._column + times
        if self._texts or "office:value-type" in self._attributes or "table:formula" in self._attributes:
            value = self._value("".join(self._texts), first)
            if value != "":
                for column in range(first, min(first + times, MOST_COLUMNS + 1)):
                    self._cells[column] = value

    def _value(self, shown: str, column: int) -> Cell:
        found = self._attributes
        kind = found.get("office:value-type")
        is_formula = "table:formula" in found
        if found.get("calcext:value-type") == "error" or (is_formula and _SHOWN.fullmatch(shown)):
            return BadCell.error(self._row, column, shown or "#VALUE!")
        if is_formula and kind is None and not shown:
            return BadCell(place_name(self._row, column), "", UNSAVED)
        if kind in ("float", "percentage", "currency"):
            return self._number(found.get("office:value", ""), column)
        if kind == "boolean":
            return found.get("office:boolean-value", "")
        if kind == "date":
            return self._date(found.get("office:date-value", ""), column)
        if kind == "time":
            return _time(found.get("office:time-value", ""))
        return found.get("office:string-value", shown) if kind == "string" else shown

    def _number(self, text: str, column: int) -> Cell:
        if text.isdecimal() and text.isascii() and (text[0] != "0" or text == "0"):
            return text
        try:
            value = float(text)
            return number_text(value) if value - value == 0 else BadCell.error(self._row, column, text)
        except ValueError:
            return BadCell(place_name(self._row, column), text, f"is {text[:40]!r}, which is not a number")

    def _date(self, text: str, column: int) -> str:
        style = self._attributes.get("table:style-name")
        if style is None:
            style = next((style for last, style in self._column_styles if column <= last), "")
        day, _, clock = text.partition("T")
        has_time = style in self._timed if style in self._dated else bool(clock.strip("0:."))
        return f"{day}T{clock or '00:00:00'}" if has_time else day


def _time(text: str) -> str:
    match = _DURATION.fullmatch(text)
    if match is None:
        return text
    days, hours, minutes = (int(part or 0) for part in match.group(2, 3, 4))
    try:
        value = timedelta(days=days, hours=hours, minutes=minutes, seconds=float(match[5] or 0))
    except OverflowError:
        return text
    if match[1] or value >= timedelta(days=1):
        return timedelta_text(-value if match[1] else value)
    text = timedelta_text(value)
    return text if text.index(":") == 2 else f"0{text}"


def _repeats(attributes: dict[str, str], name: str) -> int:
    text = attributes.get(name, "1")
    return max(int(text), 1) if text.isdecimal() and len(text) < 10 else 1
