"""The names of columns: each must exist, be unique and be usable."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from jobctl.domain.payload import is_result_key
from jobctl.sources.problems import ENCODINGS, Damaged
from jobctl.sources.stream import NOT_UTF8

#: How many columns a message names.
_MOST_LISTED = 10
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,:/-]*")


def kept_places(names: Sequence[str], line: int | None) -> tuple[int, ...]:
    """The positions of the columns that are not jobctl's own. Raises Damaged for an impossible header."""
    empty = [str(number) for number, name in enumerate(names, 1) if not name.strip()]
    twice = [repr(name) for name, times in Counter(names).items() if times > 1 and name.strip()]
    faults = ((empty, "has no name", "have no name"), (twice, "appears more than once", "appear more than once"))
    for wrong, one, several in faults:
        if wrong:
            said = f"column {wrong[0]} {one}" if len(wrong) == 1 else f"columns {_listed(wrong)} {several}"
            raise Damaged("header", said, line, hint=_advice(names, line))
    if "\0" in "".join(names):
        raise Damaged("nul", "the header contains a NUL character", line)
    if not is_encodable("".join(names)):
        raise Damaged("encoding", f"the header {NOT_UTF8}", line, hint=ENCODINGS)
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
    """What to do about an impossible header; a number among the names suggests that it is data."""
    if line is None:
        return "give every column its own name"
    where = f" in line {line}"
    if any(_NUMBER.fullmatch(name.strip()) for name in names):
        return f"if that is the first row of the data, add --no-header; else give every column its own name{where}"
    if not names[-1].strip() and all(name.strip() for name in names[:-1]):
        return f"give the last column a name{where}, or take off the delimiter at the end of each line"
    return f"give every column its own name{where}; --no-header is for files whose first row is data"


def is_encodable(text: str) -> bool:
    """Whether a text can be UTF-8: it has no surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
