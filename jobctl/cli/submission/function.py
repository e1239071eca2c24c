"""The options of ``--call``: which function, and what must not stand beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jobctl.domain.call import STYLES, Call, parse_target
from jobctl.errors import UsageError

_OF_CALLS = ("call_style", "call_setup", "recycle", "python")


def check_work(given: Mapping[str, Any], words: Sequence[str]) -> None:
    """Raises UsageError when two things are named that items may be, or when options belong to another one."""
    named = [(o, v) for o, v in (("--call", given["call"]), ("--shell", given["shell"])) if v is not None]
    if len(named) + bool(words) > 1:
        second = "a COMMAND" if words else named[1][0]
        raise UsageError(f"{named[0][0]} and {second} at once", hint="give one of them")
    if words or given["shell"] is not None:
        for option in _OF_CALLS:
            if given[option] is not None:
                raise UsageError(f"--{option.replace('_', '-')} is for --call", hint="leave it out")


def function_of(given: Mapping[str, Any]) -> Call | None:
    """The function that is to be called, if one is. Raises UsageError naming the option that is wrong."""
    if given["call"] is None:
        return None
    style = given["call_style"] or ""
    if style not in ("", *STYLES):
        raise UsageError(f"--call-style {style!r} is not known", hint=f"use {' or '.join(STYLES)}")
    return Call(_target(given, "call"), _target(given, "call_setup"), style)


def _target(given: Mapping[str, Any], option: str) -> str:
    if given[option] is None:
        return ""
    try:
        return parse_target(given[option])
    except UsageError as error:
        raise UsageError(f"--{option.replace('_', '-')}: {error.message}", hint=error.hint) from None
