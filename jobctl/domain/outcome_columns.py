"""The columns of an outcome, by which conditions select items: its state, and facts of its latest attempt.

The names are those of the result files, without ``jobctl_``, and of ``jobctl items --json``. An item has no value, an
empty text, for what it does not have: the duration of one that never ran, the cause of one that succeeded.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from jobctl.domain import outcome
from jobctl.domain.durations import parse_duration, parse_size
from jobctl.domain.endings import Ending
from jobctl.domain.nearest import did_you_mean
from jobctl.domain.selection import CAUSED, STATE_WORDS, is_cause
from jobctl.domain.times import coming, latest, parse_past, parse_start
from jobctl.errors import UsageError

Value = str | int | float
_ENDED = ("ending", "code", "flags")


class OutcomeColumn(NamedTuple):
    """A column of an outcome."""

    name: str
    meaning: str
    cells: tuple[str, ...]  # of the database, which ``read`` gets
    read: Callable[..., Value]
    also: tuple[str, ...] = ()  # further names
    #: The value of a string that the column is compared with, at a moment. Raises UsageError.
    parse: Callable[[str, int], Value] | None = None
    has_text: bool = True


def _or_empty(cell: Any) -> Value:
    return "" if cell is None else cell


def _scaled(factor: float) -> Callable[[Any], Value]:
    return lambda cell: "" if cell is None else cell * factor


def _seconds(cell: Any) -> Value:
    return "" if cell is None else cell / 1e6


def _state(state: int) -> str:
    return STATE_WORDS[state] if 0 <= state < len(STATE_WORDS) else ""


def _cause(state: int, ending: int | None, code: int, flags: int) -> str:
    """The cause of an item that failed, or that waits for another attempt."""
    if state not in CAUSED or ending is None or (ending == Ending.EXITED and code == 0):
        return ""
    return outcome.failure_code(ending, code or 0, flags or 0)


def _exit_code(ending: int | None, code: int) -> Value:
    return code if ending == Ending.EXITED else ""


def _signal(ending: int | None, code: int) -> str:
    return outcome.signal_of(ending, code or 0) or ""


def _finished(started: int | None, duration: int | None) -> Value:
    return "" if started is None or duration is None else (started + duration) / 1e6


def _known(ending: int | None) -> str:
    return "" if ending is None else "known" if outcome.is_known(ending) else "unknown"


def _retryable(state: int, retryable: int | None) -> str:
    return "" if state not in CAUSED or retryable is None else "true" if retryable else "false"


def _result(value: str | None) -> str:
    """The value that a function returned: a text as it is, anything else as JSON."""
    if value is None:
        return ""
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):  # a damaged row
        return ""
    return found if isinstance(found, str) else value


def _checked_state(text: str, _now: int) -> str:
    return _one_of(text, STATE_WORDS, "an item state")


def _checked_outcome(text: str, _now: int) -> str:
    return _one_of(text, ("known", "unknown"), "an outcome")


def _checked_truth(text: str, _now: int) -> str:
    return _one_of(text, ("true", "false"), "a value of retryable")


def _one_of(text: str, words: tuple[str, ...], what: str) -> str:
    if text not in words:
        raise UsageError(f"{text!r} is not {what}", hint=did_you_mean(text, words, f"it is one of {', '.join(words)}"))
    return text


def _checked_cause(text: str, _now: int) -> str:
    if not is_cause(text) or ":" in text:
        raise UsageError(f"{text!r} is not the code of a cause", hint="for example 'timeout', 'exit_7' or 'sigkill'")
    return text


def _duration(text: str, _now: int) -> float:
    return parse_duration(text, allow_zero=True)


def _size(text: str, _now: int) -> int:
    return parse_size(text)


def _time(text: str, now: int) -> float:
    """A time as people say it: of a clock or a weekday, the last one, unless the text is about the future."""
    try:
        return latest(parse_past(text), now) / 1e6
    except UsageError as error:
        return _other_time(lambda: coming(parse_start(text), now), error)


def _time_to_come(text: str, now: int) -> float:
    try:
        return coming(parse_start(text), now) / 1e6
    except UsageError as error:
        return _other_time(lambda: latest(parse_past(text), now), error)


def _other_time(read: Callable[[], int], error: UsageError) -> float:
    try:
        return read() / 1e6
    except UsageError:
        raise error from None


_DURATION: dict[str, Any] = {"parse": _duration, "has_text": False}
_TIME: dict[str, Any] = {"parse": _time, "has_text": False}
_NUMBER: dict[str, Any] = {"has_text": False}

COLUMNS = (
    OutcomeColumn("item", "the number of the item", ("item",), _or_empty, **_NUMBER),
    OutcomeColumn("state", "the state of the item", ("state",), _state, parse=_checked_state),
    OutcomeColumn(
        "cause",
        "the cause for which the item failed or waits",
        ("state", *_ENDED),
        _cause,
        ("code", "error_code"),
        _checked_cause,
    ),
    OutcomeColumn("message", "the message of the latest attempt", ("message",), _or_empty, ("error_message",)),
    OutcomeColumn("exit_code", "the exit code of the latest attempt", _ENDED[:2], _exit_code, **_NUMBER),
    OutcomeColumn("signal", "the signal that ended the latest attempt", _ENDED[:2], _signal),
    OutcomeColumn(
        "outcome", "whether it is known what the latest attempt did", ("ending",), _known, parse=_checked_outcome
    ),
    OutcomeColumn(
        "retryable", "whether another attempt may help", ("state", "retryable"), _retryable, parse=_checked_truth
    ),
    OutcomeColumn("attempts", "the attempts of the item so far", ("attempt",), _or_empty, **_NUMBER),
    OutcomeColumn(
        "duration", "the seconds that the latest attempt took", ("duration_us",), _seconds, ("duration_s",), **_DURATION
    ),
    OutcomeColumn(
        "cpu", "the seconds of processor time of the latest attempt", ("cpu_us",), _seconds, ("cpu_s",), **_DURATION
    ),
    OutcomeColumn(
        "memory",
        "the memory of the latest attempt in bytes",
        ("max_rss_kib",),
        _scaled(1024),
        parse=_size,
        has_text=False,
    ),
    OutcomeColumn("max_rss_kib", "the memory of the latest attempt in KiB", ("max_rss_kib",), _or_empty, **_NUMBER),
    OutcomeColumn(
        "started", "the time when the latest attempt started", ("started_at",), _seconds, ("started_at",), **_TIME
    ),
    OutcomeColumn(
        "finished",
        "the time when the latest attempt ended",
        ("started_at", "duration_us"),
        _finished,
        ("finished_at",),
        **_TIME,
    ),
    OutcomeColumn(
        "due", "the time of the next attempt", ("due_at",), _seconds, ("due_at",), _time_to_come, has_text=False
    ),
    OutcomeColumn("slot", "the slot of the latest attempt", ("slot",), _or_empty, **_NUMBER),
    OutcomeColumn("host", "the machine of the latest attempt", ("host",), _or_empty),
    OutcomeColumn("result", "the value that the function returned", ("value",), _result),
    OutcomeColumn("left_behind", "the processes that the attempt left behind", ("left_names",), _or_empty),
)
NAMES = tuple(column.name for column in COLUMNS)
BY_NAME = {name: column for column in COLUMNS for name in (column.name, *column.also)}
