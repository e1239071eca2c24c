"""The rows of a sheet of an xlsx file, one by one. Empty cells take no memory and, if they are missing, no time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jobctl.sources.cells import (
    LONGEST_TEXT,
    MOST_COLUMNS,
    UNSAVED,
    BadCell,
    Cell,
    ColumnNumbers,
    SheetRow,
    column_name,
    number_text,
    place_name,
)
from jobctl.sources.moments import NumberMeaning, moment_text
from jobctl.sources.ordinary import TEXT, attributes_of, read_entities
from jobctl.sources.package import DEEPEST, Handlers, Package
from jobctl.sources.problems import Damaged
from jobctl.sources.stream import RECORD_LIMIT
from jobctl.sources.xlsx import Strings, unescaped

_DIGITS = "0123456789"
#: The nested elements that contain rows.
_ROWS_DEPTH = 2
_FORMULA = rf'<f(?: aca="false"| t="shared"(?: ref="[A-Z0-9:]*")? si="[0-9]+")?(?:/>|>{TEXT}</f>)'


class CellRules(NamedTuple):
    """The facts about cells from the workbook."""

    strings: Strings
    kinds: Sequence[NumberMeaning]
    from_1904: bool
    is_uncalculated: bool


class _Kinds(dict[str | None, NumberMeaning]):
    """The meanings of formats by the text with which a cell names its format, None if it names none; a cache."""

    def __init__(self, kinds: Sequence[NumberMeaning]) -> None:
        super().__init__({None: NumberMeaning.NUMBER})
        self._by_number = kinds

    def __missing__(self, style: str | None) -> NumberMeaning:
        if style is None or not style.isdecimal() or int(style) >= len(self._by_number):
            return NumberMeaning.NUMBER
        return self.setdefault(style, self._by_number[int(style)])


class Sheet(Handlers):
    """Reads the elements of a sheet and makes rows from them."""

    ending = b"</row>"

    def __init__(self, rules: CellRules) -> None:
        self.rows: list[SheetRow] = []
        #: Formulas whose saved values the file itself calls outdated.
        self.uncalculated = 0
        self.hidden_rows = 0
        self.hidden_columns: list[str] = []
        self._rules = rules
        self._kinds = _Kinds(rules.kinds)
        self._ordinary = _ordinary_cells(with_formulas=not rules.is_uncalculated)
        self._columns = ColumnNumbers()
        self._cells: dict[int, Cell] = {}
        self._row = self._column = 0
        self._is_hidden = False
        self._texts: list[str] = []
        self._room = 0  # characters that a row may still have
        self._is_in_text = self._is_formula = self._is_phonetic = False
        self._type: str | None = None
        self._style: str | None = None

    def read_ordinary(self, text: str) -> bool:
        """Read a row whose cells are all ordinary."""
        before, *cells = self._ordinary.split(text)
        attributes = attributes_of(before, "row")
        columns = [self._columns[letters] for letters in cells[::6]]
        if attributes is None or any(cells[5::6]) or 0 in columns or self.depth != _ROWS_DEPTH or self._is_phonetic:
            return False
        self._begin_row(attributes)
        self._is_formula = False
        values = [saved or inline for saved, inline in zip(cells[3::6], cells[4::6], strict=True)]
        if "&" in text:
            values = [read_entities(value or "") for value in values]
        found = self._cells
        for self._column, self._style, self._type, value in zip(columns, cells[1::6], cells[2::6], values, strict=True):
            if value and (cell := self._value(value)) != "":
                found[self._column] = cell
        self._end_row()
        return True

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if name == "c":
            self._begin_cell(attributes)
        elif name == "v":
            self._is_in_text = self._type != "inlineStr" or not self._texts
        elif name == "t":
            self._is_in_text = not self._is_phonetic
        elif name == "is":
            self._texts = []  # some programs write the text twice, in another element before
        elif name == "f":
            self._is_formula = True
        elif name == "row":
            self._begin_row(attributes)
        elif name == "rPh":
            self._is_phonetic = True
        elif name == "col" and attributes.get("hidden") in ("1", "true"):
            self._add_hidden_columns(attributes)
        elif self.depth > DEEPEST:
            raise Damaged("workbook", "the sheet is nested too deeply")

    def text(self, text: str) -> None:
        if self._is_in_text and self._room >= 0:
            self._room -= len(text)
            self._texts.append(text)

    def end(self, name: str) -> None:
        self.depth -= 1
        if name == "c":
            if self._texts or self._is_formula:
                self._end_cell()
        elif name in ("v", "t"):
            self._is_in_text = False
        elif name == "row":
            self._end_row()
        elif name == "rPh":
            self._is_phonetic = False

    def _begin_row(self, attributes: dict[str, str]) -> None:
        number = attributes.get("r", "")
        self._row = int(number) if number.isdecimal() and len(number) < 10 else self._row + 1
        self._is_hidden = attributes.get("hidden") in ("1", "true")
        self._cells, self._column, self._room = {}, 0, RECORD_LIMIT

    def _end_row(self) -> None:
        if self._cells:
            self.rows.append(SheetRow(self._row, self._cells))
            self.hidden_rows += self._is_hidden

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        if self.depth > DEEPEST:
            raise Damaged("workbook", "the sheet is nested too deeply")
        place = attributes.get("r")
        self._column = self._columns[place.rstrip(_DIGITS)] if place else self._column + 1
        if not 0 < self._column <= MOST_COLUMNS:
            raise Damaged(
                "workbook", f"the sheet has a cell {place or self._column!r}, which no sheet can have", self._row
            )
        self._type, self._style = attributes.get("t"), attributes.get("s")
        self._is_formula = False
        if self._texts:
            self._texts = []

    def _end_cell(self) -> None:
        text = "".join(self._texts)
        self._texts = []
        value = self._value(text)
        if value != "":
            self._cells[self._column] = value
        self._is_formula = False

    def _value(self, text: str) -> Cell:
        kind = self._type
        if self._is_formula and self._is_unsaved(text):
            return BadCell(place_name(self._row, self._column), "", UNSAVED)
        if kind == "s":
            return self._shared(text)
        if kind is None or kind == "n":
            return self._number(text.strip())
        if kind in ("str", "inlineStr"):
            return unescaped(text)
        if kind == "e":
            return BadCell.error(self._row, self._column, text.strip() or "#VALUE!")
        if kind == "b":
            return "true" if text.strip() in ("1", "true") else "false"
        return self._iso_moment(text) if kind == "d" else self._number(text.strip())

    def _shared(self, number: str) -> Cell:
        """A shared text. Its length is bounded: many cells may name it, so a small file could mean gigabytes."""
        try:
            text = self._rules.strings.text_at(int(number))
        except (ValueError, IndexError, OverflowError):
            if not number.strip():
                return ""
            raise Damaged("workbook", f"cell {self._place} names a text that the file lacks", self._row) from None
        if len(text) <= LONGEST_TEXT:
            return text
        longest = f"{LONGEST_TEXT:,}, the most that a cell can have"
        return BadCell(self._place, text[:LONGEST_TEXT], f"has a text of {len(text):,} characters, more than {longest}")

    def _is_unsaved(self, text: str) -> bool:
        """Excel saves the text "" as an empty value of the type ``str``; so do writers that have no value."""
        if text:
            self.uncalculated += self._rules.is_uncalculated
            return False
        return self._rules.is_uncalculated or self._type != "str"

    def _number(self, text: str) -> Cell:
        kind = self._kinds[self._style]
        if kind is NumberMeaning.NUMBER and text.isdecimal() and text.isascii() and (text[0] != "0" or text == "0"):
            return text
        try:
            return self._number_or_moment(text, kind)
        except (ValueError, OverflowError):
            message = f"is the number {text[:40]}, which is not a date, although it is formatted as one"
            if kind is NumberMeaning.NUMBER:
                message = f"is {text[:40]!r}, which is not a number"
            return BadCell(self._place, text, message)

    def _number_or_moment(self, text: str, kind: NumberMeaning) -> str:
        value = float(text)
        if value - value:
            raise ValueError("not finite")
        return (
            number_text(value)
            if kind is NumberMeaning.NUMBER
            else moment_text(value, kind, from_1904=self._rules.from_1904)
        )

    def _iso_moment(self, text: str) -> str:
        """A date that is saved as text; midnight is omitted if the format has no time."""
        day, _, clock = text.strip().partition("T")
        kind = self._kinds[self._style]
        if kind is NumberMeaning.DATE or not clock:
            return f"{day}T00:00:00" if kind is NumberMeaning.DATETIME else day
        return f"{day}T{clock.removesuffix('Z').removesuffix('.000')}"

    @property
    def _place(self) -> str:
        return place_name(self._row, self._column)

    def _add_hidden_columns(self, attributes: dict[str, str]) -> None:
        first, last = attributes.get("min", ""), attributes.get("max", "")
        if first.isdecimal() and last.isdecimal() and 0 < int(first) <= int(last) and len(self.hidden_columns) < 100:
            self.hidden_columns += map(column_name, range(int(first), min(int(last), int(first) + 99) + 1))


def _ordinary_cells(*, with_formulas: bool) -> re.Pattern[str]:
    """Cells by their letters, format, type, and saved or inline value; a formula only if it has a saved value."""
    formula = rf"(?:{_FORMULA}(?!<v></v>))?" if with_formulas else ""
    inline = rf'<is><t(?: xml:space="preserve")?>({TEXT})</t></is>'
    head = '<c r="([A-Z]{1,3})[0-9]{1,7}"(?: s="([0-9]+)")?(?: t="(s|n|str|b|inlineStr)")?'
    return re.compile(rf"{head}(?:/>|>(?:{formula}<v>({TEXT})</v>|{inline})</c>)")


def sheet_rows(package: Package, part: str, sheet: Sheet) -> Iterator[tuple[int, list[SheetRow]]]:
    """Rows with a value, after every piece of the sheet that was read, with the bytes read so far. Raises Damaged."""
    for read in package.parse(part, sheet):
        rows, sheet.rows = sheet.rows, []
        yield read, rows
