"""Reads and writes durations, sizes and times for people and documents; values are in seconds or microseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from jobctl.errors import UsageError

#: A longer text is not a duration, size or time; it is refused before its digits are converted.
_MAX_TEXT = 64
_UNIT_S = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_PLAIN = re.compile(_NUMBER)
_PARTS = re.compile(rf"(?:({_NUMBER})d)?(?:({_NUMBER})h)?(?:({_NUMBER})m(?!s))?(?:({_NUMBER})s)?(?:({_NUMBER})ms)?")
_SIZE = re.compile(rf"({_NUMBER})\s*([kmgt]?)(?:i?b)?", re.IGNORECASE | re.ASCII)
_SIZE_UNIT = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_BLANKS = " \t\r\n"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: A hundred years. A longer duration is a typing error, and its sum with a time must fit a 64-bit integer.
MAX_DURATION_S = 100 * 366 * 86_400.0
#: The shortest duration, because times are kept in microseconds.
MIN_DURATION_S = 1e-6
#: Times that people may give, in microseconds since 1970. The last one is so early that the longest durations can be
#: added to it and that every time zone can show the sum.
FIRST_TIME = -2_208_988_800_000_000  # 1900-01-01T00:00:00Z
LAST_TIME = 221_845_392_000_000_000  # 9000-01-01T00:00:00Z
#: Times that can be shown, wherever they come from: in every time zone they stay within the years 1 to 9999.
_FIRST_SHOWN = -62_104_060_800_000_000  # 0002-01-01T00:00:00Z
_LAST_SHOWN = 253_370_764_800_000_000  # 9999-01-01T00:00:00Z
MAX_SIZE = 1 << 62

DURATION_FORMS = "90, 90s, 5m, 2h30m, 1d or 500ms"
SIZE_FORMS = "4096, 64K, 64M or 2G"
TIME_LIMITS = "times go from the year 1900 to the year 8999"
TIME_FORMS = "2026-11-23T18:28:31Z or 2026-11-23T18:28:31+01:00"


def parse_duration(text: str, *, allow_zero: bool = False) -> float:
    """Read ``90``, ``90s``, ``5m``, ``2h30m``, ``1d`` or ``500ms`` as seconds; units go from large to small.

    Raises UsageError for anything else, and for zero unless it is allowed.
    """
    bare = text.strip(_BLANKS).lower()
    seconds = _seconds(bare) if bare.isascii() and len(bare) <= _MAX_TEXT else None
    if seconds is None:
        raise UsageError(f"{text!r} is not a duration", hint=f"write it like {DURATION_FORMS}")
    if seconds == 0 and not allow_zero:
        raise UsageError(f"the duration {text!r} must be longer than zero", hint=f"write it like {DURATION_FORMS}")
    if 0 < seconds < MIN_DURATION_S:
        raise UsageError(f"the duration {text!r} is shorter than a microsecond", hint=f"write it like {DURATION_FORMS}")
    if seconds > MAX_DURATION_S:
        raise UsageError(f"the duration {text!r} is longer than 100 years", hint=f"write it like {DURATION_FORMS}")
    return seconds


def option_duration(option: str, text: str) -> float:
    """Read the value of an option as seconds; zero is allowed. Raises UsageError that names the option."""
    try:
        return parse_duration(text, allow_zero=True)
    except UsageError as error:
        raise UsageError(f"{option}: {error.message}", hint=error.hint) from None


def _seconds(text: str) -> float | None:
    if _PLAIN.fullmatch(text):
        return float(text)
    match = _PARTS.fullmatch(text)
    if match is None or not text:
        return None
    return sum(float(part) * unit for part, unit in zip(match.groups(), _UNIT_S.values(), strict=True) if part)


def format_duration(seconds: float) -> str:
    """A duration for people: ``0.07ms``, ``500ms``, ``4.2s``, ``42s``, ``1m 04s``, ``2h 05m``, ``3d 04h``."""
    if seconds < 0:
        return "-" + format_duration(-seconds)
    if seconds < 0.00095:
        return f"{round(seconds * 1000, 2) or 0.01}ms" if seconds else "0s"
    if seconds < 0.9995:
        return f"{round(seconds * 1000)}ms"
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    whole = round(seconds)
    for unit, name, next_unit, next_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= unit:
            return f"{whole // unit}{name} {whole % unit // next_unit:02}{next_name}"
    return f"{whole}s"


def format_given(seconds: float) -> str:
    """A duration that a person has set, as they would write it: ``30d``, ``1d 12h``, ``2h``, ``1m 30s``."""
    return re.sub(r" 00[a-z]+\Z", "", format_duration(seconds))


def duration_text(seconds: float) -> str:
    """A duration as ``parse_duration`` reads it, without a blank: ``1m30s``, ``2h``, ``250ms``."""
    if seconds < 1 and seconds * 1000 == round(seconds * 1000) and seconds:
        return f"{round(seconds * 1000)}ms"
    if seconds < 1 or seconds != int(seconds):
        return f"{decimal(seconds).removesuffix('.0')}s"
    parts, rest = "", int(seconds)
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(rest, int(_UNIT_S[unit]))
        parts += f"{count}{unit}" if count else ""
    return parts


def format_span(begin: int, end: int) -> str:
    """The time between two moments (microseconds), for people; never negative, even if a clock went backwards."""
    return format_duration(max(0, end - begin) / 1e6)


def seconds(us: int) -> float:
    """A duration for documents, in seconds. It is not rounded, so that all documents have the same value."""
    return round(us / 1e6, 6)


def decimal(value: float) -> str:
    """A number without an exponent, ``0.000038``, for ``sort -n`` and other programs that cannot read exponents."""
    text = repr(value)
    return f"{value:.9f}".rstrip("0") if "e-" in text else text


def parse_size(text: str) -> int:
    """Read ``4096``, ``64K``, ``64M`` or ``2G`` (powers of 1024) as bytes. Raises UsageError for anything else."""
    bare = text.strip(_BLANKS)
    match = _SIZE.fullmatch(bare) if bare.isascii() and len(bare) <= _MAX_TEXT else None
    if match is None:
        raise UsageError(f"{text!r} is not a size", hint=f"write it like {SIZE_FORMS}")
    size = float(match[1]) * (1 << _SIZE_UNIT[match[2].lower()])
    if size >= MAX_SIZE:
        raise UsageError(f"the size {text!r} is too large: 4194303T is the most", hint=f"write it like {SIZE_FORMS}")
    return round(size)


def format_time(us: int) -> str:
    """Microseconds since 1970 as RFC 3339 UTC with milliseconds: ``2026-11-23T18:28:31.004Z``.

    A time outside the calendar becomes the first or the last that can be shown, because one broken value must not
    prevent a whole document. ``is_time`` recognizes such values.
    """
    if not is_time(us):
        us = _FIRST_SHOWN if us < 0 else _LAST_SHOWN
    moment = _EPOCH + timedelta(microseconds=us)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def is_time(us: int) -> bool:
    """True if microseconds since 1970 are a time that can be shown in every time zone."""
    return _FIRST_SHOWN <= us <= _LAST_SHOWN


class Clock:
    """A quicker ``format_time`` for many times that are close to each other: it formats each second once."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def format(self, us: int) -> str:
        """The same text as ``format_time``."""
        second, rest = divmod(us, 1_000_000)
        if second != self._second:
            self._second = second
            self._text = format_time(second * 1_000_000)[:-4]
        return f"{self._text}{rest // 1000:03}Z"


def parse_time(text: str) -> int:
    """Read an RFC 3339 time with ``Z`` or an offset as microseconds since 1970. Raises UsageError for anything else."""
    match = _TIME.fullmatch(text.strip(_BLANKS)) if len(text) <= _MAX_TEXT else None
    try:
        if match is None:
            raise ValueError(text)
        zone = "+00:00" if match[3] in "Zz" else match[3]
        clock, _, fraction = match[2].partition(".")
        moment = datetime.fromisoformat(f"{match[1]}T{clock}{zone}")
        micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
        found = (moment - _EPOCH) // _MICROSECOND + micros
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text!r} is not a time", hint=f"write it like {TIME_FORMS}") from error
    if not FIRST_TIME <= found < LAST_TIME:
        raise UsageError(f"the time {text!r} is out of range: {TIME_LIMITS}", hint=f"write it like {TIME_FORMS}")
    return found
