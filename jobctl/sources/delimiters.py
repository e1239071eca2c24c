"""The delimiter of a file that is called CSV, by its first line and by its look."""

from __future__ import annotations

import csv
import io
import itertools
import re

_NAMES = {";": "semicolon", "\t": "tab", "|": "pipe", ",": "comma"}
#: Excel reads a first line ``sep=;`` as a note; programs that rewrite the file append further delimiters to it.
_NOTE = re.compile(r'"?sep=(\\t|[^\w"\s]|\t)"?\1*', re.IGNORECASE)
#: How many rows are examined, and in how many bytes.
_ROWS = 20
_BYTES = 64 << 10


def noted_delimiter(line: bytes) -> str:
    """The delimiter that a first line ``sep=;`` names; '' for any other line."""
    found = _NOTE.fullmatch(line.removesuffix(b"\r").decode("utf-8", "replace"))
    return "" if found is None else found[1].replace("\\t", "\t")


def name_of(delimiter: str) -> str:
    """A delimiter as ``--delimiter`` accepts it."""
    return _NAMES.get(delimiter, delimiter)


def likelier_delimiter(sample: bytes, delimiter: str, header: list[str]) -> str:
    """Another delimiter that gives all of the first rows the same, larger number of columns; '' if there is none.

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
    """How many fields the header and each of the first rows have; 0 if the numbers differ or there are no rows."""
    try:
        rows = list(itertools.islice(filter(None, csv.reader(io.StringIO(text), delimiter=delimiter)), _ROWS + 1))
    except csv.Error:
        return 0
    widths = set(map(len, rows))
    return widths.pop() if len(rows) > 1 and len(widths) == 1 else 0
