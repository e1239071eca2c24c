"""The keys of the configuration: what each may be, and what it is when nobody says anything."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from jobctl.domain.call import STYLES, parse_target
from jobctl.domain.durations import parse_duration, parse_size
from jobctl.domain.nearest import meant
from jobctl.domain.policy import MAX_COUNT, parse_backoff, parse_codes, parse_max_failures
from jobctl.domain.rate import parse_rate
from jobctl.domain.resources import parse_devices, parse_resources
from jobctl.errors import UsageError
from jobctl.sources.options import INPUT_FORMATS


class Key(NamedTuple):
    """One key. ``form`` says in words what it may be."""

    section: str
    name: str
    kind: str  # whole | text | switch | texts | path | command
    default: str = ""
    form: str = "a text"
    parse: Callable[[str], object] = str  # raises UsageError for a text that is none
    #: Whether it counts in a project file that the user has not trusted. A key that runs, connects, deletes, reads
    #: files, passes the environment on or changes a home does not. None, for a key nobody has judged, is no.
    safe: bool | None = None


def _one_of(*words: str) -> Callable[[str], object]:
    def parse(text: str) -> str:
        if text not in words:
            raise UsageError(f"{text!r} is not known", hint=meant(text, words, f"use {' or '.join(words)}"))
        return text

    return parse


def _duration_or_zero(text: str) -> object:
    return parse_duration(text, allow_zero=True)


#: Characters of a wrong value that a message repeats.
_SHOWN = 200
#: More are above ``MAX_COUNT`` in any case, and Python refuses to read some thousands of them.
_DIGITS = re.compile(r"-?[0-9]{1,18}")
_COUNT = "a whole number from 1"
_TIME = 'a duration such as "90s", "5m" or "2h30m"'
_TEXTS = "a text or a list of texts"
_PATH = "a path; a relative one begins at the folder of this file"

#: Of ``[submit]`` and of every recipe.
_JOB = (
    Key("submit", "slots", "whole", "all of the daemon", _COUNT, safe=True),
    Key("submit", "attempts", "whole", "3", _COUNT, safe=True),
    Key("submit", "timeout", "text", "none", _TIME, parse_duration, safe=True),
    Key("submit", "gpus-per-item", "whole", "none", _COUNT, safe=True),
    Key("submit", "resources", "text", "", 'what an item needs such as "gpu=1,mem=8"', parse_resources, safe=True),
    Key("submit", "grace", "text", "10s", _TIME, _duration_or_zero, safe=True),
    Key(
        "submit", "backoff", "text", "2sx4..60s", 'a wait such as "2s", "2sx4" or "2sx4..60s"', parse_backoff, safe=True
    ),
    Key("submit", "retry-on", "text", "", 'exit codes such as "1,75"', parse_codes, safe=True),
    Key("submit", "no-retry-on", "text", "65,126,127", 'exit codes such as "2,3"', parse_codes, safe=True),
    Key(
        "submit",
        "max-failures",
        "text",
        "none",
        'a number or a share such as "50" or "5%"',
        parse_max_failures,
        safe=True,
    ),
    Key("submit", "halt", "text", "soon", '"soon" or "now"', _one_of("soon", "now"), safe=True),
    Key("submit", "deadline", "text", "none", _TIME, parse_duration, safe=True),
    Key("submit", "on-crash", "text", "requeue", '"requeue" or "fail"', _one_of("requeue", "fail"), safe=True),
    Key(
        "submit",
        "leftovers",
        "text",
        "wait",
        '"end", "wait" or "fail"',
        _one_of("end", "wait", "fail"),
        safe=True,
    ),
    Key("submit", "rate", "text", "none", 'starts per time such as "100/s" or "60/m"', parse_rate, safe=True),
    Key("submit", "output-cap", "text", "64M", 'a size such as "64K" or "2G"', parse_size, safe=True),
    Key("submit", "queue", "text", "default", "the name of a queue", safe=True),
    Key("submit", "new-queue", "switch", "false", "true or false", safe=True),
    Key("submit", "priority", "integer", "0", "a whole number", safe=True),
    Key("submit", "label", "texts", "", 'texts of the form "name=value"', safe=True),
    Key("submit", "invalid", "text", "reject", '"reject" or "skip"', _one_of("reject", "skip"), safe=True),
    Key(
        "submit",
        "on-duplicate",
        "text",
        "return",
        '"return", "fail" or "resume"',
        _one_of("return", "fail", "resume"),
        safe=True,
    ),
    Key("submit", "env", "texts", "", 'texts of the form "NAME=VALUE" or "NAME"', safe=False),
    Key("submit", "env-all", "switch", "false", "true or false", safe=False),
    Key("submit", "env-file", "path", "", _PATH, safe=False),
    Key("submit", "notify", "texts", "", "one or more URLs", safe=False),
    Key("submit", "notify-secret-env", "text", "", "the name of a variable", safe=False),
    Key("submit", "notify-secret-file", "path", "", _PATH, safe=False),
    Key("submit", "on-done", "texts", "", "one or more commands for /bin/sh", safe=False),
)
KEYS = (
    *_JOB,
    Key("daemon", "slots", "whole", "number of CPUs", _COUNT, safe=True),
    Key("daemon", "spawners", "whole", "1", _COUNT, safe=True),
    Key("daemon", "gpus", "text", "those found", 'names of devices such as "0,1"', parse_devices, safe=True),
    Key("daemon", "executor", "text", "local", '"local" or "dask"', _one_of("local", "dask"), safe=False),
    Key("daemon", "scheduler", "text", "", 'an address such as "tls://node1:8786"', safe=False),
    Key("daemon", "scheduler-file", "path", "", _PATH, safe=False),
    Key("daemon", "cluster", "text", "", 'the name of a batch system such as "slurm"', safe=False),
    Key("daemon", "workers", "whole", "1", _COUNT, safe=False),
    Key("daemon", "tls-ca", "path", "", _PATH, safe=False),
    Key("daemon", "tls-cert", "path", "", _PATH, safe=False),
    Key("daemon", "tls-key", "path", "", _PATH, safe=False),
    Key("daemon", "insecure", "switch", "", "true or false", safe=False),
    Key("prune", "older-than", "text", "30d", _TIME, _duration_or_zero, safe=False),
    Key(
        "output", "color", "text", "auto", '"auto", "always" or "never"', _one_of("auto", "always", "never"), safe=True
    ),
)
#: Of a recipe alone.
RECIPE_KEYS = (
    *(key._replace(section="recipe") for key in _JOB),
    Key("recipe", "summary", "text", "", "what it does, in a line", safe=True),
    Key("recipe", "command", "command", "", 'a list of words such as ["convert", "{}", "{.}.webp"]', safe=False),
    Key("recipe", "shell", "text", "", "a script for /bin/sh", safe=False),
    Key("recipe", "call", "text", "", 'a function such as "package.module:function"', parse_target, safe=False),
    Key("recipe", "call-style", "text", "", '"kwargs" or "dict"', _one_of(*STYLES), safe=False),
    Key("recipe", "call-setup", "text", "", 'a function such as "package.module:function"', parse_target, safe=False),
    Key("recipe", "recycle", "whole", "", _COUNT, safe=True),
    Key("recipe", "python", "path", "", _PATH, safe=False),
    Key(
        "recipe",
        "format",
        "text",
        "",
        " or ".join(f'"{name}"' for name in INPUT_FORMATS),
        _one_of(*INPUT_FORMATS),
        safe=True,
    ),
    Key("recipe", "delimiter", "text", "", "one character", safe=True),
    Key("recipe", "comment", "text", "", "what comment lines begin with", safe=True),
    Key("recipe", "encoding", "text", "", "the name of an encoding", safe=True),
    Key("recipe", "sheet", "text", "", "the name of a sheet", safe=True),
    Key("recipe", "where", "text", "", "a condition on the columns", safe=True),
    Key("recipe", "no-header", "switch", "", "true or false", safe=True),
    Key("recipe", "name", "text", "", "the name of the job", safe=True),
    Key("recipe", "key", "text", "", "an idempotency key", safe=True),
    Key("recipe", "unique", "switch", "", "true or false", safe=True),
    Key("recipe", "item-key", "text", "", "the name of a column", safe=True),
    Key("recipe", "only-new", "switch", "", "true or false", safe=True),
    Key("recipe", "new-by", "text", "", 'names of columns such as "email,amount"', safe=True),
    Key("recipe", "hold", "switch", "", "true or false", safe=True),
    Key("recipe", "cwd", "path", "", _PATH, safe=False),
    Key("recipe", "allow-http", "switch", "", "true or false", safe=False),
)


def check(key: Key, where: str, value: Any, path: str) -> Any:
    """The value of a key as an option would give it: str, int, bool or a tuple of str.

    Raises UsageError that says where it stands and what is allowed there.
    """
    checker = _CHECKERS[key.kind]
    found = checker(value)
    if found is None:
        raise UsageError(f"{where} = {_shown(value)}: it must be {key.form}", hint="see jobctl-config(5)")
    if key.kind == "path":
        return os.path.join(os.path.dirname(path), os.path.expanduser(found))
    for text in (found,) if isinstance(found, str) else ():
        _parse(key, where, text)
    return found


def from_text(key: Key, where: str, text: str) -> Any:
    """The same for a variable of the environment, where everything is text and a list has one member."""
    if key.kind in ("whole", "integer"):
        bare = text.strip()
        return check(key, where, int(bare) if _DIGITS.fullmatch(bare) else text, "")
    if key.kind == "switch" and text.strip() in ("true", "false"):
        return text.strip() == "true"
    if key.kind == "path":
        return os.path.abspath(os.path.expanduser(text))
    return check(key, where, text, "")


def _parse(key: Key, where: str, text: str) -> None:
    try:
        key.parse(text)
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}; it must be {key.form}", hint=error.hint) from None


def _whole(value: Any) -> int | None:
    found = _integer(value)
    return found if found is not None and found >= 1 else None


def _integer(value: Any) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and abs(value) <= MAX_COUNT else None


def _text(value: Any) -> str | None:
    """A text; a bare number is one too, so that ``timeout = 90`` is right."""
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
    "integer": _integer,
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
    except (ValueError, RecursionError):  # a number of thousands of digits, a table in a table in a table ...
        return "something very large"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
