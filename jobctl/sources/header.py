"""Checks the header of a file: its names of columns must exist, be unique and be usable. Finds the delimiter."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence

from jobctl.domain.payload import is_result_key
from jobctl.sources.problems import ENCODING_ADVICE, Damaged
from jobctl.sources.stream import NOT_UTF8

#: The number of columns that a message names.
_MOST_LISTED = 10
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,:/-]*")
_NAMES = {";": "semicolon", "\t": "tab", "|": "pipe", ",": "comma"}
#: Excel takes the delimiter from a first line ``sep=;``. Programs that rewrite the file append delimiters to this line.
_SEP_LINE = re.compile(r'"?sep=(\\t|[^\w"\s]|\t)"?\1*', re.IGNORECASE)
#: The number of rows that are examined, and the number of bytes with them.
_ROWS = 20
_BYTES = 64 << 10


def check_header(names: Sequence[str], line: int | None) -> tuple[int, ...]:
    """Check a header; returns the positions of the columns that are not jobctl's own. Raises Damaged."""
    empty = [str(number) for number, name in enumerate(names, 1) if not name.strip()]
    twice = [repr(name) for name, count in Counter(names).items() if count > 1 and name.strip()]
    faults = ((empty, "has no name", "have no name"), (twice, "appears more than once", "appear more than once"))
    for wrong, one, several in faults:
        if wrong:
            problem = f"column {wrong[0]} {one}" if len(wrong) == 1 else f"columns {_listed(wrong)} {several}"
            raise Damaged("header", problem, line, hint=_advice(names, line))
    if "\0" in "".join(names):
        raise Damaged("nul", "the header contains a NUL character", line)
    if not is_encodable("".join(names)):
        raise Damaged("encoding", f"the header {NOT_UTF8}", line, hint=ENCODING_ADVICE)
    if not names:
        raise Damaged("header", "there are no columns", line)
    places = tuple(place for place, name in enumerate(names) if not is_result_key(name))
    if not places:
        raise Damaged("header", "there are only columns of jobctl itself (jobctl_...)", line)
    return places


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_LISTED:,} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(names[:_MOST_LISTED]) + more


def _advice(names: Sequence[str], line: int | None) -> str:
    """The remedy for an impossible header; a number among the names suggests that it is data."""
    if line is None:
        return "give every column its own name"
    where = f" in line {line}"
    if any(_NUMBER.fullmatch(name.strip()) for name in names):
        return f"if that is the first row of the data, add --no-header; else give every column its own name{where}"
    if not names[-1].strip() and all(name.strip() for name in names[:-1]):
        return f"give the last column a name{where}, or remove the delimiter at the end of each line"
    return f"give every column its own name{where}; --no-header is for files whose first row is data"


def is_encodable(text: str) -> bool:
    """True if a text can be UTF-8: it has no surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def declared_delimiter(line: bytes) -> str:
    """The delimiter that a first line ``sep=;`` names; '' for any other line."""
    found = _SEP_LINE.fullmatch(line.removesuffix(b"\r").decode("utf-8", "replace"))
    return "" if found is None else found[1].replace("\\t", "\t")


def delimiter_name(delimiter: str) -> str:
    """A delimiter as ``--delimiter`` accepts it."""
    return _NAMES.get(delimiter, delimiter)


def likelier_delimiter(sample: bytes, delimiter: str, header: list[str]) -> str:
    """Another delimiter that gives all of the first rows the same, larger number of columns; '' if there is none.

    ``sample`` begins with the header.
    """
    candidates = [candidate for candidate in _NAMES if candidate != delimiter and _may_separate(candidate, header)]
    if not candidates:
        return ""
    end = sample.rfind(b"\n", 0, _BYTES) + 1
    text = (sample[:end] or sample).decode("utf-8", "replace")
    return next((candidate for candidate in candidates if _width(text, candidate) > len(header)), "")


def _may_separate(candidate: str, header: list[str]) -> bool:
    names = " ".join(header)
    return candidate in names and f"{candidate} " not in names


def _width(text: str, delimiter: str) -> int:
    """The number of fields in the header and in each of the first rows; 0 if the numbers differ or no row exists."""
    try:
        rows = list(itertools.islice(filter(None, csv.reader(io.StringIO(text), delimiter=delimiter)), _ROWS + 1))
    except csv.Error:
        return 0
    widths = set(map(len, rows))
    return widths.pop() if len(rows) > 1 and len(widths) == 1 else 0
