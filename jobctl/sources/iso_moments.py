"""Writes dates, times and durations that Python's types cannot hold: any year, and nanoseconds, as whole numbers.

The texts are ISO 8601 (a duration is H:MM:SS). A year outside of 0000 to 9999 has a sign: +10000-01-01, -0044-03-15.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

_DAY = 86_400
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the zone is written by hand
_EPOCH_ORDINAL = _EPOCH.toordinal()
_DAYS_OF_400_YEARS = 146_097
#: Seconds from 1970 of the years 1 to 9999, which Python knows.
_KNOWN = range(-62_135_596_800, 253_402_300_800)
_FIXED = re.compile(r"([+-])(\d\d):(\d\d)")

#: The offset from UTC at a moment in seconds, in seconds; None where the text has no zone.
Zone = Callable[[int], int | None]


def date_text(days: int) -> str:
    """The date ``days`` days after 1970-01-01, in the Gregorian calendar, also for the time before that calendar."""
    cycles, rest = divmod(days + _EPOCH_ORDINAL - 1, _DAYS_OF_400_YEARS)
    day = date.fromordinal(rest + 1)
    year = day.year + 400 * cycles
    if 0 <= year <= 9999:
        return f"{year:04}-{day.month:02}-{day.day:02}"
    return f"{year:+05}-{day.month:02}-{day.day:02}"


def timestamp_text(value: int, per_second: int, zone: Zone) -> str:
    """A moment as parts of a second since 1970, with the offset of its zone."""
    seconds, part = divmod(value, per_second)
    offset = zone(seconds)
    local = seconds + (offset or 0)
    if local in _KNOWN:
        text = (_EPOCH + timedelta(0, local)).isoformat()
    else:
        days, second = divmod(local, _DAY)
        text = f"{date_text(days)}T{_clock(second)}"
    return f"{text}{_fraction(part, per_second)}{'' if offset is None else _offset_text(offset)}"


def time_text(value: int, per_second: int) -> str:
    """A time of day; 24:00:00 is the end of a day. Raises ValueError for other values."""
    if not 0 <= value <= _DAY * per_second:
        raise ValueError("is not a time of day")
    seconds, part = divmod(value, per_second)
    return f"{_clock(seconds)}{_fraction(part, per_second)}"


def duration_text(value: int, per_second: int) -> str:
    """Hours, minutes and seconds; hours may be any number."""
    seconds, part = divmod(abs(value), per_second)
    fraction = f".{part * (10**9 // per_second):09}".rstrip("0") if part else ""
    return f"{'-' if value < 0 else ''}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"


def zone_of(name: str | None) -> Zone:
    """The zone of a column: UTC, +02:00 or Europe/Berlin. A zone that this machine does not know is written as UTC."""
    if name is None:
        return lambda _seconds: None
    if fixed := _FIXED.fullmatch(name):
        sign, hours, minutes = fixed.groups()
        offset = (int(hours) * 3600 + int(minutes) * 60) * (-1 if sign == "-" else 1)
        return lambda _seconds: offset
    if name.upper() in ("UTC", "GMT", "Z", "ETC/UTC"):
        return lambda _seconds: 0
    return _named_zone(name)


def _named_zone(name: str) -> Zone:
    from zoneinfo import ZoneInfo

    try:
        zone = ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return lambda _seconds: 0
    utc = ZoneInfo("UTC")

    def offset(seconds: int) -> int:
        if seconds - _DAY not in _KNOWN or seconds + _DAY not in _KNOWN:
            return 0
        moment = (_EPOCH + timedelta(0, seconds)).replace(tzinfo=utc).astimezone(zone)
        return int((moment.utcoffset() or timedelta()).total_seconds())

    return offset


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _fraction(part: int, per_second: int) -> str:
    """The fraction of a second: empty, microseconds as Python writes them, or nanoseconds if there are any."""
    if not part:
        return ""
    nanoseconds = part * (10**9 // per_second)
    return f".{nanoseconds:09}" if nanoseconds % 1000 else f".{nanoseconds // 1000:06}"


def _offset_text(offset: int) -> str:
    sign, size = ("-", -offset) if offset < 0 else ("+", offset)
    seconds = f":{size % 60:02}" if size % 60 else ""
    return f"{sign}{size // 3600:02}:{size // 60 % 60:02}{seconds}"
