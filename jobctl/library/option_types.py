"""Writes ``options.py``: the options of the library as types, from the tables of the command line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from jobctl.domain.cluster_options import CLUSTER_OPTIONS
from jobctl.domain.job_options import NO_LIMIT, OPTIONS, JobOption

_WIDTH = 120
_HEAD = '''"""The options of the library as types, for editors and type checkers.

Generated from the tables of options by ``python -m jobctl.library.generate``. Do not edit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Literal, Protocol, TypeAlias, TypedDict

#: A text as on the command line, seconds, or a difference of times.
Duration: TypeAlias = str | float | timedelta
#: A text as on the command line, a moment, or a wait from now on.
Moment: TypeAlias = str | datetime | timedelta
#: ``module:function``, or the function itself, if it can be imported by its name.
Function: TypeAlias = str | Callable[..., Any]
Path: TypeAlias = str | os.PathLike[str]
#: The rows of a submission as a file: its path, "-" for standard input, or a stream of bytes.
File: TypeAlias = str | os.PathLike[str] | BinaryIO
#: The words of a command, with placeholders such as {id}.
Command: TypeAlias = Sequence[str | os.PathLike[str]]


class Batches(Protocol):
    """A table or a data set of pyarrow."""

    def to_batches(self) -> Any:
        """Return its parts."""


#: Dictionaries, named tuples, dataclasses or texts, in anything that can be iterated, or a table of a library.
Rows: TypeAlias = Iterable[Any] | Batches
'''
_DURATIONS = (":parse_duration", ":parse_timeout", ":parse_wait")
_MOMENTS = (":parse_start", ":parse_deadline")
_PATHS = ("cwd", "env-file", "python", "notify-secret-file")
#: Options whose value is not one text.
_TYPES = {
    "label": "Mapping[str, str] | Sequence[str] | str",
    "env": "Mapping[str, str | None] | Sequence[str] | str",
    "after": "Sequence[Any] | Any",
    "undo": "Sequence[str] | str",
    "new-by": "Sequence[str] | str",
    "retry-on": "Sequence[int] | str | int",
    "no-retry-on": "Sequence[int] | str | int",
    "max-failures": "int | str",
    "output-cap": "int | str",
}
#: The most choices that a type lists.
_MOST_CHOICES = 8
#: Options that methods have as parameters of their own.
OWN = ("dry-run",)


def module() -> str:
    """Return the text of ``options.py``."""
    return "\n\n".join(
        (
            _HEAD,
            _class("SubmitOptions", "The options of ``jobctl submit`` and ``jobctl run``.", OPTIONS),
            _cluster(),
            _class(
                "CopyOptions",
                "The options of ``jobctl retry --as-new``.",
                (option for option in OPTIONS if option.of_copies or option.of_retry),
            ),
            _class("RoundOptions", "The rules that a new round may change.", OPTIONS_OF_ROUNDS),
            _class("SetOptions", "The rules of ``jobctl set``.", (option for option in OPTIONS if option.effect)),
        )
    )


OPTIONS_OF_ROUNDS = tuple(option for option in OPTIONS if option.of_retry)


def _class(name: str, title: str, options: Iterable[JobOption]) -> str:
    lines = [f"class {name}(TypedDict, total=False):", f'    """{title}"""', ""]
    for option in options:
        if option.name not in OWN:
            lines += _entry(option.key, _type(option), option.help)
    return "\n".join(lines) + "\n"


def _entry(key: str, written: str, text: str) -> Iterator[str]:
    yield f"    {key}: {written} | None"
    lines = textwrap.wrap(text.replace("\\", "\\\\"), _WIDTH - 10) or [""]
    if len(lines) == 1:
        yield f'    """{lines[0]}"""'
    else:
        yield f'    """{lines[0]}'
        yield from (f"    {line}" for line in lines[1:])
        yield '    """'


def _type(option: JobOption) -> str:
    if not option.metavar:
        return "bool"
    none = f' | Literal["{NO_LIMIT}"]' if option.can_be_none and (option.number or option.choices) else ""
    if option.number:
        return f"int{none}"
    if option.choices and len(option.choices) <= _MOST_CHOICES:
        choices = (*option.choices, NO_LIMIT) if option.can_be_none else option.choices
        return f"Literal[{', '.join(repr(choice) for choice in choices)}]".replace("'", '"')
    if option.name in _TYPES:
        return _TYPES[option.name]
    if option.parse.endswith(_DURATIONS):
        return "Duration"
    if option.parse.endswith(_MOMENTS):
        return "Moment"
    if option.parse.endswith(":parse_target"):
        return "Function"
    if option.name in _PATHS:
        return "Path"
    return "Sequence[str] | str" if option.multiple else "str"


def _cluster() -> str:
    lines = [
        "class RunOptions(SubmitOptions, total=False):",
        '    """The options of ``jobctl run``: those of a submission, and where the items run."""',
        "",
    ]
    for name, metavar, text in CLUSTER_OPTIONS:
        key = name.removeprefix("--").replace("-", "_")
        kind = "bool" if not metavar else "int" if metavar == "N" else "Path" if metavar == "FILE" else "str"
        lines += _entry(key, kind, text)
    return "\n".join(lines) + "\n"
