"""The keys of settings and recipes, with the allowed values and the defaults."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from jobctl.domain import serve_options
from jobctl.domain.job_options import OPTIONS, JobOption
from jobctl.domain.option_values import named, parse_choice, parse_wait, read
from jobctl.domain.policy import MAX_COUNT, checked_count
from jobctl.domain.resources import parse_devices
from jobctl.errors import UsageError


class Key(NamedTuple):
    """One key. ``form`` describes the allowed values for people."""

    section: str
    name: str
    kind: str  # whole | text | switch | texts | path | command
    default: str = ""
    form: str = "a text"
    parse: Callable[[Any], object] = str  # reads a text or a number; raises UsageError for a wrong one
    #: Whether it takes effect in a project file that the user has not trusted; see ``JobOption.safe``.
    safe: bool | None = None


def _one_of(*words: str) -> Callable[[Any], object]:
    return partial(parse_choice, choices=words)


def _quoted(words: tuple[str, ...]) -> str:
    """``"a", "b" or "c"``."""
    *others, last = (f'"{word}"' for word in words)
    return f"{', '.join(others)} or {last}"


#: The most characters of a wrong value that a message repeats.
_SHOWN = 200
#: A longer number is above ``MAX_COUNT`` anyway, and Python refuses to read thousands of digits.
_DIGITS = re.compile(r"-?[0-9]{1,18}")
_COUNT = "a whole number from 1"
_TIME = 'a duration such as "90s", "5m" or "2h30m"'
_PATH = "a path; a relative one begins at the folder of this file"
_PATHS = ("FILE", "DIR", "PATH")
_FORMS = {"switch": "true or false", "path": _PATH}


def _key(section: str, option: JobOption) -> Key:
    """The key of a job option."""
    kind = _kind(option)
    return Key(section, option.name, kind, option.default, _form(option, kind), partial(read, option), option.safe)


def _serve_key(option: serve_options.ServeOption) -> Key:
    """The key of an option of ``jobctl serve``. None is safe: they say who reaches this machine, and how."""
    kind = _kind_of_serve(option)
    parse = partial(_parsed, option.parse) if option.parse else str
    return Key("serve", option.name, kind, option.default, option.form or _FORMS[kind], parse, safe=False)


def _kind_of_serve(option: serve_options.ServeOption) -> str:
    if not option.metavar:
        return "switch"
    if option.multiple:
        return "texts"
    if option.is_path:
        return "path"
    return "whole" if option.number else "text"


def _parsed(parser: str, value: Any) -> object:
    return named(parser)(value)


def _form(option: JobOption, kind: str) -> str:
    if option.form:
        return option.form
    if option.choices:
        return _quoted(option.choices)
    if option.lowest is None:
        return _FORMS[kind]
    return f"a whole number from {option.lowest}" + (f" to {option.highest}" if option.highest < MAX_COUNT else "")


def _kind(option: JobOption) -> str:
    if not option.metavar:
        return "switch"
    if option.multiple:
        return "texts"
    if option.metavar in _PATHS:
        return "path"
    return "whole" if option.number else "text"


KEYS = (
    *(_key("submit", option) for option in OPTIONS if option.kept == "settings"),
    Key("daemon", "slots", "whole", "number of CPUs", _COUNT, checked_count, safe=True),
    Key("daemon", "spawners", "whole", "1", _COUNT, checked_count, safe=True),
    Key("daemon", "gpus", "text", "those found", 'names of devices such as "0,1"', parse_devices, safe=True),
    Key("daemon", "executor", "text", "local", '"local" or "dask"', _one_of("local", "dask"), safe=False),
    Key("daemon", "scheduler", "text", "", 'an address such as "tls://node1:8786"', safe=False),
    Key("daemon", "scheduler-file", "path", "", _PATH, safe=False),
    Key("daemon", "cluster", "text", "", 'the name of a batch system such as "slurm"', safe=False),
    Key("daemon", "workers", "whole", "1", _COUNT, checked_count, safe=False),
    Key("daemon", "tls-ca", "path", "", _PATH, safe=False),
    Key("daemon", "tls-cert", "path", "", _PATH, safe=False),
    Key("daemon", "tls-key", "path", "", _PATH, safe=False),
    Key("daemon", "insecure", "switch", "", "true or false", safe=False),
    *(_serve_key(option) for option in serve_options.OPTIONS),
    Key("prune", "older-than", "text", "30d", _TIME, parse_wait, safe=False),
    Key(
        "output", "color", "text", "auto", '"auto", "always" or "never"', _one_of("auto", "always", "never"), safe=True
    ),
    Key("output", "pager", "text", "PAGER, or less", 'a command such as "less -S", or "none"', safe=False),
)
RECIPE_KEYS = (
    *(_key("recipe", option) for option in OPTIONS if option.kept),
    Key("recipe", "summary", "text", "", "what it does, in a line", safe=True),
    Key("recipe", "http", "switch", "false", "true or false", safe=False),
    Key("recipe", "command", "command", "", 'a list of words such as ["convert", "{}", "{.}.webp"]', safe=False),
)


def check(key: Key, where: str, value: Any, path: str) -> Any:
    """Check a value of a file; returns it as an option would: str, int, bool or a tuple of str.

    ``where`` is the place of the value, for messages. Raises UsageError with the place and the allowed values.
    """
    found = _CHECKERS[key.kind](value)
    if found is None:
        raise UsageError(f"{where} = {_shown(value)}: it must be {key.form}", hint="see jobctl-config(5)")
    if key.kind == "path":
        return os.path.join(os.path.dirname(path), os.path.expanduser(found))
    if key.kind in ("text", "whole"):
        _parse(key, where, found)
    return found


def from_text(key: Key, where: str, text: str) -> Any:
    """Check the value of a variable of the environment, where all values are texts, and a list has one member.

    Raises UsageError.
    """
    if key.kind == "whole":
        bare = text.strip()
        return check(key, where, int(bare) if _DIGITS.fullmatch(bare) else text, "")
    if key.kind == "switch" and text.strip() in ("true", "false"):
        return text.strip() == "true"
    if key.kind == "path":
        return os.path.abspath(os.path.expanduser(text))
    return check(key, where, text, "")


def _parse(key: Key, where: str, value: str | int) -> None:
    try:
        key.parse(value)
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}; it must be {key.form}", hint=error.hint) from None


def _whole(value: Any) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and abs(value) <= MAX_COUNT else None


def _text(value: Any) -> str | None:
    """Return a text. A number is accepted as well, so that ``timeout = 90`` is valid."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and value.strip() and "\0" not in value else None


def _switch(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _texts(value: Any) -> tuple[str, ...] | None:
    members = value if isinstance(value, list) else [value]
    return tuple(members) if all(isinstance(member, str) and member for member in members) else None


def _command(value: Any) -> tuple[str, ...] | None:
    is_list = isinstance(value, list) and value and all(isinstance(word, str) for word in value)
    return tuple(value) if is_list and value[0] else None


_CHECKERS: dict[str, Callable[[Any], Any]] = {
    "whole": _whole,
    "text": _text,
    "path": _text,
    "switch": _switch,
    "texts": _texts,
    "command": _command,
}


def _shown(value: Any) -> str:
    import json

    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):  # a number of thousands of digits, or very many nested tables
        return "something very large"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
