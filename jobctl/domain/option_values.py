"""Parsers for the values of job options. Each function raises UsageError that says what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from jobctl.domain.durations import parse_duration
from jobctl.domain.job_options import NO_LIMIT, JobOption
from jobctl.domain.nearest import did_you_mean
from jobctl.domain.policy import MAX_COUNT, MOST_LIMITS, checked_count
from jobctl.domain.rate import parse_rate
from jobctl.errors import UsageError

#: The longest name and the longest value of a label, in characters.
_LONGEST_NAME = 100
_LONGEST_VALUE = 1_000
_MOST_LABELS = 100
#: A sentence says "a or b" for at most this number of choices.
_FEW = 3
#: The most characters of a wrong value that a message repeats.
_SHOWN = 200


def read(option: JobOption, value: Any) -> Any:
    """Parse a value: a text, a number, or the texts of an option that was given several times."""
    if option.choices:
        return parse_choice(value, option.choices)
    if option.lowest is not None:
        return checked_count(value, option.lowest, option.highest)
    return named(option.parse)(value) if option.parse else value


@contextmanager
def naming(option: JobOption) -> Iterator[None]:
    """Add the name of the option to a UsageError that the block raises."""
    try:
        yield
    except UsageError as error:
        name = f"--{option.name}" + ("" if option.choices else ":")
        raise UsageError(f"{name} {error.message}", hint=error.hint) from None


def check(option: JobOption, value: Any) -> None:
    """Raise UsageError if items on this machine cannot have this value, which ``read`` returned."""
    if option.check:
        named(option.check)(value)


def named(name: str) -> Any:
    """Import the function that is written ``module:function``."""
    module, _, function = name.partition(":")
    return getattr(import_module(module), function)


def read_text(option: JobOption, text: str) -> Any:
    """Parse a text of an option whose value is text; None for ``none``, if the option may be without a limit."""
    if option.can_be_none and text == NO_LIMIT:
        return None
    return read(option, parse_number(text) if option.number else text)


def policy_fields(option: JobOption, value: Any, now: int) -> dict[str, Any]:
    """The fields of the policy for a value that ``read`` returned, None for the value ``none``.

    A time counts from ``now`` (microseconds UTC). Raises UsageError for a deadline that has passed.
    """
    if option.name == "deadline" and value is not None:
        from jobctl.domain.times import deadline_fields  # few jobs have one

        return deadline_fields(value, now)
    if option.name == "deadline":
        return {"deadline_s": None, "deadline_at": None}
    if option.name == "timeout":
        limits = value if isinstance(value, tuple) else ()
        # The longest limit is the one that a version which knows only one limit should apply.
        return {"timeout_s": max(limits) if limits else value, "timeouts_s": limits}
    if option.name == "not-before":
        return {"not_before_s": None if value is None else value.wait_s}
    return {option.field: value} if option.field else {}


def parse_number(text: str) -> int:
    """Read a whole number, which may be negative."""
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise UsageError(f"{text[:_SHOWN]!r} is not a whole number", hint="for example 4")
    return int(text[:20])  # a longer number is above every limit, and Python refuses to read thousands of digits


def parse_choice(text: str, choices: Sequence[str]) -> str:
    """Read one of the choices."""
    if text not in choices:
        listed = " or ".join(choices) if len(choices) <= _FEW else f"one of {', '.join(choices)}"
        raise UsageError(f"{text!r} is not known", hint=did_you_mean(text, choices, f"use {listed}"))
    return text


def parse_priority(value: int) -> int:
    """Read a priority, which may be negative."""
    return checked_count(value, -MAX_COUNT)


def parse_wait(text: str) -> float:
    """Read a duration in seconds, which may be zero."""
    return parse_duration(text, allow_zero=True)


def parse_timeout(text: str) -> float | tuple[float, ...]:
    """Read a time limit in seconds, or limits by attempt: ``5m,20m,1h``."""
    if text.count(",") >= MOST_LIMITS:
        raise UsageError(
            f"more than {MOST_LIMITS} time limits", hint="the last one counts for all further attempts: 5m,20m,1h"
        )
    limits = tuple(parse_duration(part) for part in text.split(","))
    return limits[0] if len(set(limits)) == 1 else limits


def checked_rate(text: str) -> str:
    """Check a rate, and return the text, which the policy keeps."""
    parse_rate(text)
    return text


def parse_needs(text: str) -> tuple[tuple[str, float], ...]:
    """Parse the needs of an item into the form of the policy: (name, amount)."""
    from jobctl.domain.resources import parse_resources  # few jobs need any

    return tuple(parse_resources(text).items())


def parse_columns(text: str) -> tuple[str, ...]:
    """Read the names in ``a,b``. A list with an empty name is refused."""
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise UsageError(f"{text!r} is not a list of columns", hint="for example email,amount")
    return names


def parse_labels(texts: Sequence[str]) -> dict[str, str]:
    """Read labels as values by name. A label that cannot be kept is refused."""
    labels = {}
    for text in texts:
        name, given, value = text.partition("=")
        if not given or not re.fullmatch(r"[A-Za-z0-9_./-]+", name):
            raise UsageError(f"{text!r} is not NAME=VALUE", hint="for example --label team=billing")
        if len(name) > _LONGEST_NAME or len(value) > _LONGEST_VALUE or not value.isprintable():
            longest = f"{_LONGEST_NAME} characters in the name, {_LONGEST_VALUE} printable ones in the value"
            raise UsageError(f"{text!r} cannot be kept", hint=f"at most {longest}")
        labels[name] = value
    if len(labels) > _MOST_LABELS:
        raise UsageError(f"{len(labels)} labels; {_MOST_LABELS} is the most", hint="leave some out")
    return labels
