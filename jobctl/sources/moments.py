"""Writes dates and times of a sheet. They are stored as numbers, and the format of the cell gives their kind.

Only the format decides, so a column with one format has one spelling: a format with a time of day shows the time even
at midnight, and a format without one shows only the date.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from enum import Enum
from functools import lru_cache

from jobctl.sources.iso_moments import duration_text

DAY_MS = 86_400_000
_LAST_DAY = 2_958_465  # 9999-12-31
_BUILT_IN = {
    **dict.fromkeys((*range(14, 18), *range(27, 32), 36, *range(50, 55), 57, 58), "yyyy-mm-dd"),
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56), "h:mm:ss"),
    22: "yyyy-mm-dd h:mm",
    46: "[h]:mm:ss",
}
#: Parts that are not codes: quoted text, an escaped, padding or filling character, brackets that are not of durations.
_LITERAL = re.compile(r'"[^"]*"|[\\_*].|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE | re.DOTALL)
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_MINUTES = re.compile(r"h[^a-z]*m{1,2}(?!m)|m{1,2}[^a-z]*s", re.IGNORECASE)


class NumberMeaning(Enum):
    """The meaning of a number in a cell."""

    NUMBER = 0
    DATE = 1
    DATETIME = 2
    TIME = 3
    DURATION = 4


def kind_of_format(number: int, code: str | None) -> NumberMeaning:
    """The meaning that a number format gives: by its code, or without a code by its built-in number."""
    if code is None:
        code = _BUILT_IN.get(number, "General")
    bare = _LITERAL.sub("", code).split(";")[0].lower()
    if _ELAPSED.search(bare):
        return NumberMeaning.DURATION
    if "general" in bare or "standard" in bare:
        return NumberMeaning.NUMBER
    without_exponent = re.sub(r"e[+-]", "", bare).replace("am/pm", "h").replace("a/p", "h")
    has_time = bool(re.search("[hs]", without_exponent))
    without_minutes = _MINUTES.sub("", without_exponent)
    has_date = bool(re.search("[ydmegb]", without_minutes))
    if has_date:
        return NumberMeaning.DATETIME if has_time else NumberMeaning.DATE
    return NumberMeaning.TIME if has_time else NumberMeaning.NUMBER


@lru_cache(8_192)  # a column of dates has few of them
def moment_text(value: float, kind: NumberMeaning, *, from_1904: bool) -> str:
    """A number of days as ISO 8601 text. Raises ValueError for a number that is not a day of the calendar."""
    if kind is NumberMeaning.DURATION or (kind is NumberMeaning.TIME and value < 0):
        return timedelta_text(timedelta(milliseconds=round(value * DAY_MS)))
    days, milliseconds = divmod(round(value * DAY_MS), DAY_MS)
    seconds, fraction = divmod(milliseconds, 1000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{f'.{fraction:03}' if fraction else ''}"
    if kind is NumberMeaning.TIME:
        return clock
    day = _day(days, from_1904=from_1904).isoformat()
    return day if kind is NumberMeaning.DATE else f"{day}T{clock}"


def _day(number: int, *, from_1904: bool) -> date:
    """Raises ValueError. Day 60 in the system of 1900 is February 29, 1900, which did not exist."""
    first = 0 if from_1904 else 1
    if not first <= number <= _LAST_DAY - (1462 if from_1904 else 0) or (number == 60 and not from_1904):
        raise ValueError("no day of the calendar")
    epoch = date(1904, 1, 1) if from_1904 else date(1899, 12, 31) if number < 60 else date(1899, 12, 30)
    return epoch + timedelta(days=number)


def timedelta_text(value: timedelta) -> str:
    """H:MM:SS, with a fraction if there is one, and a sign if it is negative."""
    return duration_text(value // timedelta(microseconds=1), 1_000_000)
