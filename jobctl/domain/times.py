"""Reads times as people say them: ``22:00``, ``tomorrow 06:00``, ``monday``, ``2026-12-01``, ``in 2h``, ``2h ago``.

The grammar is strict: a text that it does not know is refused with the forms. A parser that guesses would let a
crontab start a job on the wrong day. A text without a zone is in the local zone. Where the clock of that zone skips a
time, the time after the gap counts (02:30 becomes 03:30). Where it shows a time twice, the first one counts, unless
only the second one is still to come.

Reading a text does not need the present (``parse_start``, ``parse_past``); ``coming`` and ``latest`` do. So settings
can be checked when they are read, and a time counts from the moment when the person typed the command.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from jobctl.domain.durations import TIME_LIMITS, format_given, format_time, parse_duration, parse_time
from jobctl.errors import UsageError

START_FORMS = "22:00, tomorrow 06:00, monday 06:00, 2026-12-01, 2026-12-01 18:00, 2026-12-01T18:00:00+01:00 or 2h"
PAST_FORMS = "2h, 22:00, yesterday, yesterday 18:00, monday 06:00, 2026-12-01, 2026-12-01 18:00 or 2026-12-01T18:00:00Z"

_MAX_TEXT = 64
_FIRST_YEAR, _LAST_YEAR = 1900, 8999
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: The days that are named by their distance from today.
_NEAR = {"today": 0, "tomorrow": 1, "yesterday": -1}
_NAMED = _NEAR | {day[:length]: day for day in _WEEKDAYS for length in (3, len(day))}
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[t ](\S+?) ?(z|[+-][0-9]{2}:[0-9]{2})?")
_DURATION = re.compile(r"[0-9.]+|(?:[0-9.]+(?:d|h|ms|m|s)(?: (?=[0-9]))?)+")


class TimePassed(UsageError):
    """A deadline is a time that has passed."""


class When(NamedTuple):
    """A time as it was said. One of ``wait_s``, ``at`` and ``clock`` has a value."""

    text: str
    wait_s: float | None = None  # from now on; a time of the past has the seconds since then
    at: int | None = None  # microseconds since 1970
    clock: time | None = None  # local time of the day; 00:00 if only a day was said
    day: date | int | str | None = None  # a date, the days from today, or the name of a weekday; None = any day


def parse_start(text: str) -> When:
    """Read a time to come. Raises UsageError for a text in another form, and for one that is about the past."""
    bare = _bare(text)
    if bare.endswith(" ago") or bare.startswith("yesterday"):
        raise UsageError(f"{text!r} is in the past", hint=f"write it like {START_FORMS}")
    if bare == "now":
        return When(text, wait_s=0.0)
    return _wait(text, bare.removeprefix("in "), START_FORMS) or _moment(text, bare, START_FORMS)


def parse_deadline(text: str) -> When:
    """Read the end of a job, as ``parse_start`` does; the end cannot be ``now``. Raises UsageError."""
    when = parse_start(text)
    if when.wait_s == 0:
        raise UsageError(f"{text!r} leaves no time", hint=f"write it like {START_FORMS}")
    return when


def parse_past(text: str) -> When:
    """Read a time that has been. Raises UsageError for a text in another form, and for one that is about the future."""
    bare = _bare(text)
    if bare.startswith(("in ", "tomorrow")):
        raise UsageError(f"{text!r} is in the future", hint=f"write it like {PAST_FORMS}")
    if bare == "now":
        return When(text, wait_s=0.0)
    return _wait(text, bare.removesuffix(" ago"), PAST_FORMS) or _moment(text, bare, PAST_FORMS)


def parse_since(text: str, now: int) -> int:
    """Read the value of ``--since`` as microseconds since 1970; ``now`` is in the same unit. Raises UsageError."""
    return latest(parse_past(text), now)


def coming(when: When, now: int) -> int:
    """The time of ``when`` in microseconds since 1970: of a clock or a weekday, the next one after ``now``.

    It may have passed already if a date was said.
    """
    if when.wait_s is not None:
        return now + round(when.wait_s * 1e6)
    found = _candidates(when, now)
    later = [at for at in found if at > now]
    # All candidates of a date may have passed: the first is the one that was meant.
    return later[0] if later else found[0]


def latest(when: When, now: int) -> int:
    """The time of ``when`` in microseconds since 1970: of a clock or a weekday, the last one until ``now``.

    Raises UsageError if it has not come yet.
    """
    if when.wait_s is not None:
        return now - round(when.wait_s * 1e6)
    found = [at for at in _candidates(when, now) if at <= now]
    if not found:
        raise UsageError(f"{when.text!r} is in the future", hint=f"write it like {PAST_FORMS}")
    # A day has two candidates in the hour that comes twice: the first one shows more.
    return min(found) if isinstance(when.day, date | int) else max(found)


def deadline_fields(when: When, now: int) -> dict[str, float | str | None]:
    """The fields of the policy for a deadline: a duration, which begins again with every round, or a time, which stays.

    ``now`` is in microseconds since 1970. Raises TimePassed.
    """
    if when.wait_s is not None:
        return {"deadline_s": when.wait_s, "deadline_at": None}
    at = coming(when, now)
    if at <= now:
        raise TimePassed(
            f"the deadline {when.text!r} has passed: {in_words(at, now)}", hint=f"write it like {START_FORMS}"
        )
    return {"deadline_s": None, "deadline_at": format_time(at)}


def start_at(when: When, now: int) -> int | None:
    """The start that was given as a time, in microseconds since 1970; None if it was given as a wait."""
    return None if when.wait_s is not None else coming(when, now)


def remark(when: When, at: int) -> str:
    """Return a sentence about a time that the local clock skips or shows twice; empty for all other times.

    ``at`` is the moment in microseconds since 1970 that ``coming`` or ``latest`` has found.
    """
    if when.clock is None:
        return ""
    shown = datetime.fromtimestamp(at // 1_000_000)  # noqa: DTZ006 - as the local clock shows it
    if shown.time() != when.clock:
        return f"the clock is set forward and skips {when.clock:%H:%M} on that day"
    both = _moments(shown.date(), when.clock)
    if len(both) == 1:
        return ""
    return f"the clock shows {when.clock:%H:%M} twice on that day; this is the {'first' if at == both[0] else 'second'}"


def coming_in_words(when: When, now: int) -> str:
    """The next moment of ``when`` for people, as ``in_words``, with the remark about it."""
    at = coming(when, now)
    return "; ".join(filter(None, (in_words(at, now), remark(when, at))))


def in_words(at: int, now: int) -> str:
    """A time for people, with its offset, and how far away it is: ``2026-12-01 22:00 +01:00, in 5h 12m``."""
    distance = format_given(abs(at - now) / 1e6)
    return f"{with_offset(at)}, {f'in {distance}' if at > now else f'{distance} ago' if at < now else 'now'}"


def with_offset(at: int) -> str:
    """A time in the local zone with its offset, ``2026-12-01 22:00 +01:00``; ``parse_start`` reads it again."""
    moment = datetime.fromtimestamp(at // 1_000_000).astimezone()
    zone = moment.strftime("%z")
    clock = moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
    return f"{moment.date().isoformat()} {clock} {zone[:3]}:{zone[3:5]}"


def _bare(text: str) -> str:
    """The text in small letters with single blanks; empty if it is too long or has other letters than ASCII."""
    return " ".join(text.lower().split()) if text.isascii() and len(text) <= _MAX_TEXT else ""


def _wait(text: str, bare: str, forms: str) -> When | None:
    """Read a duration; None for a text that has another form."""
    if not _DURATION.fullmatch(bare):
        return None
    try:
        return When(text, wait_s=parse_duration(bare.replace(" ", ""), allow_zero=True))
    except UsageError as error:
        raise UsageError(error.message, hint=f"write it like {forms}") from None


def _moment(text: str, bare: str, forms: str) -> When:
    """Read a day, a time of the day, or both."""
    iso = _ISO.fullmatch(bare)
    try:
        if iso and iso[3]:
            return When(text, at=parse_time(f"{iso[1]}T{iso[2]}{iso[3]}"))
        first, _, second = f"{iso[1]} {iso[2]}".partition(" ") if iso else bare.partition(" ")
        if _CLOCK.fullmatch(first) and not second:
            return When(text, clock=_clock(first))
        if first not in _NAMED and not _DATE.fullmatch(first):
            raise ValueError(" is not a time")
        return When(text, clock=_clock(second or "00:00"), day=_day(first))
    except (ValueError, UsageError) as error:
        message = error.message if isinstance(error, UsageError) else f"{text!r}{error}"
        raise UsageError(message, hint=f"write it like {forms}") from None


def _clock(text: str) -> time:
    """Raises ValueError."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(" is not a time")
    hour, minute, second = (int(part or 0) for part in match.groups())
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(": hours go from 0 to 23, minutes and seconds from 0 to 59")
    return time(hour, minute, second)


def _day(text: str) -> date | int | str:
    """Raises ValueError."""
    if text in _NAMED:
        return _NAMED[text]
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(": the calendar has no such day") from None
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(f": {TIME_LIMITS}")
    return day


def _candidates(when: When, now: int) -> list[int]:
    """The times that ``when`` can mean around ``now``, in order."""
    if when.at is not None:
        return [when.at]
    assert when.clock is not None
    return [at for day in _days(when.day, now) for at in _moments(day, when.clock)]


def _days(day: date | int | str | None, now: int) -> list[date]:
    if isinstance(day, date):
        return [day]
    today = datetime.fromtimestamp(now // 1_000_000).date()  # noqa: DTZ006 - the day in the local zone
    if isinstance(day, int):
        return [today + timedelta(days=day)]
    near = [today + timedelta(days=distance) for distance in range(-8, 9)]
    return near if day is None else [each for each in near if _WEEKDAYS[each.weekday()] == day]


def _moments(day: date, clock: time) -> list[int]:
    """The moments at which the local clock shows a time of a day: one, or two where the clock is set back.

    A time that the clock skips is the time that it shows instead: as far after the gap as the time is after its begin.
    """
    first, second = (int(datetime.combine(day, clock.replace(fold=fold)).timestamp()) for fold in (0, 1))
    return [at * 1_000_000 for at in ((first, second) if first < second else (first,))]
