"""Arguments of a program as the options that a command line gives: the same names, values and mistakes."""

from __future__ import annotations

import operator
import os
import shlex
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from jobctl.domain.job_options import NO_LIMIT, OPTIONS, JobOption
from jobctl.domain.nearest import did_you_mean
from jobctl.errors import UsageError
from jobctl.library.functions import ImportableFunction, importable
from jobctl.services.submit.intake_request import nothing_given

_BY_KEY = {option.key: option for option in OPTIONS}
#: Names beyond these are cut in a message.
_SHOWN = 200


def options_of(arguments: Mapping[str, Any], known: Iterable[JobOption]) -> dict[str, Any]:
    """The options of a submission by ``JobOption.key``, with a value for each. None is an option that is not given.

    Raises UsageError for an unknown name, and for a value of a type that no option has.
    """
    _refuse_unknown(arguments, {option.key for option in known})
    given = nothing_given()
    for key, value in arguments.items():
        if value is not None:
            given[key] = _value(_BY_KEY[key], value)
    return given


def texts_of(arguments: Mapping[str, Any], known: Iterable[JobOption]) -> dict[str, Any]:
    """The rules of a round as texts, as a command line has them. None is an option that is not given."""
    given = options_of(arguments, known)
    by_key = {option.key: option for option in known}
    return {
        key: str(value) if by_key[key].number and value is not None else value
        for key, value in given.items()
        if key in by_key
    }


def refuse_unknown(names: Iterable[str], known: Iterable[str]) -> None:
    """Raise UsageError for the first name that is not an option, with the nearest one."""
    _refuse_unknown(names, set(known))


def _refuse_unknown(names: Iterable[str], known: set[str]) -> None:
    for name in names:
        if name not in known:
            near = did_you_mean(name, sorted(known))
            hint = (
                "help(jobctl.Store.submit), or jobctl submit --help" if near else f"one of {', '.join(sorted(known))}"
            )
            raise UsageError(f"no such option: {name}" + (f"; {near}" if near else ""), hint=hint)


def words_of(command: object) -> tuple[str, ...]:
    """The words of a command. Raises UsageError for a text, which only a shell would split into words."""
    if command is None:
        return ()
    if isinstance(command, str | bytes) or not isinstance(command, Iterable):
        raise UsageError(
            f"command={str(command)[:_SHOWN]!r} is not a list of words",
            hint='command=["curl", "-o", "{id}.pdf", "{url}"]; for a script of the shell: shell="..."',
        )
    return tuple(os.fspath(word) if isinstance(word, os.PathLike) else str(word) for word in command)


def functions_of(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], list[ImportableFunction]]:
    """The arguments with the names of functions in place of function objects, and those functions."""
    found: list[ImportableFunction] = []
    named = dict(arguments)
    for key, value in arguments.items():
        if key in _BY_KEY and callable(value) and is_function(_BY_KEY[key]):
            found.append(importable(value))
            named[key] = found[-1].target
    return named, found


def is_function(option: JobOption) -> bool:
    """Whether the value of an option names a function."""
    return option.parse == "jobctl.domain.call:parse_target"


def _value(option: JobOption, value: Any) -> Any:
    if not option.metavar:
        if not isinstance(value, bool):
            raise _wrong(option, value, "it is True or False")
        return value
    if option.multiple:
        return _several(option, value)
    if option.number:
        return _number(option, value)
    return text_of(option.name, value, _SPELLED.get(option.name, ",".join))


def _several(option: JobOption, value: Any) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        return tuple(str(name) if each is None else f"{name}={each}" for name, each in value.items())
    if isinstance(value, str) or not isinstance(value, Iterable):
        value = [value]
    return tuple(text_of(option.name, each) for each in value)


def _number(option: JobOption, value: Any) -> Any:
    if option.can_be_none and value == NO_LIMIT:
        return value
    if isinstance(value, bool):
        raise _wrong(option, value, "it is a whole number")
    if isinstance(value, str):
        from jobctl.domain.option_values import naming, parse_number

        with naming(option):
            return parse_number(value)
    try:
        return operator.index(value)
    except TypeError:
        raise _wrong(option, value, "it is a whole number") from None


def text_of(name: str, value: Any, join: Callable[[list[str]], str] = ",".join) -> str:
    """A value as the text that a command line would have: seconds for a number or a timedelta, ISO 8601 for a time.

    Raises UsageError for a value of another type.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, timedelta):
        return f"{_decimal(value.total_seconds())}s"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _decimal(value)
    if isinstance(value, list | tuple):
        return join([text_of(name, each) for each in value])
    if hasattr(value, "id") and hasattr(value, "uid"):  # a job
        return str(value.id)
    raise UsageError(f"--{name}: {str(value)[:_SHOWN]!r} is not a value", hint="give it as on the command line, a text")


#: Options whose list is joined in another way than with commas.
_SPELLED: dict[str, Callable[[list[str]], str]] = {"undo": shlex.join}


def _decimal(value: int | float) -> str:
    return str(value) if isinstance(value, int) or "e" not in repr(value) else f"{value:.9f}".rstrip("0").rstrip(".")


def _wrong(option: JobOption, value: object, what: str) -> UsageError:
    return UsageError(f"--{option.name}: {str(value)[:_SHOWN]!r} is not possible; {what}", hint=option.help)
