"""The cells of a sheet: their names, their values, and cells without a usable value."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

#: Rows and columns of the largest sheet that spreadsheet programs support.
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
#: Characters of a cell in Excel.
LONGEST_TEXT = 32_767

_EXACT = 1 << 53  # above it, some whole numbers cannot be a float
_PLAIN = 1e100

UNSAVED = "is a formula without a saved value: open the file in a spreadsheet program and save it"


class BadCell(NamedTuple):
    """A cell that shows an error or has no value. ``text`` is its value under ``--invalid keep``."""

    place: str
    text: str
    message: str

    @classmethod
    def error(cls, row: int, column: int, text: str) -> BadCell:
        """A cell that shows an error such as #N/A."""
        return cls(place_name(row, column), text, f"is the error {text}")


Cell = str | BadCell


class SheetRow(NamedTuple):
    """A row with at least one value: its number in the sheet and its cells by the number of their column."""

    number: int
    cells: dict[int, Cell]


def number_text(value: float) -> str:
    """A number as people write it: whole numbers in plain digits, up to a hundred of them."""
    if not value.is_integer() or abs(value) >= _PLAIN:
        return repr(value)
    return str(int(value)) if abs(value) <= _EXACT else f"{Decimal(repr(value)):f}".removesuffix(".0")


def column_name(column: int) -> str:
    """The name of a column in spreadsheet programs: 1 is A, 27 is AA."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def place_name(row: int, column: int) -> str:
    """The name of a cell in spreadsheet programs; both numbers begin with 1."""
    return f"{column_name(column)}{row}"


class ColumnNumbers(dict[str, int]):
    """The numbers of columns by their letters, each computed once; 0 = not a column of a sheet."""

    def __missing__(self, letters: str) -> int:
        number = 0
        for letter in letters.upper()[:4]:
            number = number * 26 + ord(letter) - ord("A") + 1
        if not (letters.isascii() and letters.isalpha() and len(letters) <= 3) or number > MOST_COLUMNS:
            return 0
        self[letters] = number
        return number
