"""What separates the fields of a file that is called CSV: what it says itself, and what it looks like."""

from __future__ import annotations

import csv
import io
import itertools
import re

_NAMES = {";": "semicolon", "\t": "tab", "|": "pipe", ",": "comma"}
#: Excel takes the first line ``sep=;`` for itself; programs that rewrite the file put more of it at the end.
_NOTE = re.compile(r'"?sep=(\\t|[^\w"\s]|\t)"?\1*', re.IGNORECASE)
#: Rows that are looked at, and bytes in which they stand.
_ROWS = 20
_BYTES = 64 << 10


def noted_delimiter(line: bytes) -> str:
    """The delimiter that a first line ``sep=;`` names; '' for any other line."""
    found = _NOTE.fullmatch(line.removesuffix(b"\r").decode("utf-8", "replace"))
    return "" if found is None else found[1].replace("\\t", "\t")


def name_of(delimiter: str) -> str:
    """A delimiter as ``--delimiter`` takes it."""
    return _NAMES.get(delimiter, delimiter)


def likelier_delimiter(sample: bytes, delimiter: str, header: list[str]) -> str:
    """Another delimiter by which the first rows have more columns, all of them the same number; '' if none is.

    ``sample`` begins with the header.
    """
    marks = [mark for mark in _NAMES if mark != delimiter and _divides(mark, header)]
    if not marks:
        return ""
    end = sample.rfind(b"\n", 0, _BYTES) + 1
    text = (sample[:end] or sample).decode("utf-8", "replace")
    return next((mark for mark in marks if _width(text, mark) > len(header)), "")


def _divides(mark: str, header: list[str]) -> bool:
    names = " ".join(header)
    return mark in names and f"{mark} " not in names


def _width(text: str, delimiter: str) -> int:
    """How many fields the header and each of the first rows have; 0 if not all the same, or if there are no rows."""
    try:
        rows = list(itertools.islice(filter(None, csv.reader(io.StringIO(text), delimiter=delimiter)), _ROWS + 1))
    except csv.Error:
        return 0
    widths = set(map(len, rows))
    return widths.pop() if len(rows) > 1 and len(widths) == 1 else 0
