"""A submission of a program: its input and its options become the request that a command line would make."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from jobctl.domain.job_options import OPTIONS
from jobctl.errors import UsageError
from jobctl.library.functions import ImportableFunction, refuse_during_import
from jobctl.library.given import functions_of, options_of, words_of
from jobctl.process import moment
from jobctl.services.submit.given_rows import TITLE, stream_of
from jobctl.services.submit.intake_request import request_of
from jobctl.services.submit.request import SubmitRequest
from jobctl.services.submit.submit_place import SubmitPlace

if TYPE_CHECKING:
    from jobctl import Store

_HOW = 'a path such as "orders.csv", a stream of bytes, or rows=[{"id": 1}, ...]'
_NO_OPTIONS: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The work that a program gives to ``submit`` or ``run``."""

    file: object = None
    rows: object = None
    command: object = None
    options: Mapping[str, Any] = field(default_factory=dict)
    foreground: bool = False
    starts_daemon: bool = False
    cluster: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request whose options are checked, with its input and what was noted meanwhile."""

    request: SubmitRequest
    stream: BinaryIO
    notes: list[str]
    now: int


def prepare(store: Store, wanted: Wanted) -> Prepared:
    """Return the request that the work makes. Raises UsageError, NotFound; nothing is changed then."""
    refuse_during_import()
    options, functions = functions_of(wanted.options)
    given = options_of(options, OPTIONS)
    path, stream, called = _input(wanted)
    if wanted.rows is not None:
        stream, given["format"] = _rows(wanted.rows, given)
    place, notes = place_of(store, wanted)
    request = request_of(given, words_of(wanted.command), path, place)
    request = replace(request, input=replace(request.input, called=called))
    return Prepared(_at_home(request, functions, store), stream, notes, place.now)


def place_of(store: Store, wanted: Wanted | None = None) -> tuple[SubmitPlace, list[str]]:
    """The place from which a program submits, and the list to which its notes are added."""
    wanted = wanted or Wanted()
    notes: list[str] = []
    sections = ("submit", "daemon") if wanted.foreground or wanted.starts_daemon else ("submit",)
    place = SubmitPlace(
        home=store.place,
        environ=os.environ,
        cwd=store.folder,
        now=moment.now(),
        foreground=wanted.foreground,
        starts_daemon=wanted.starts_daemon,
        cluster=wanted.cluster,
        tell=notes.append,
        tell_ignored=lambda: store.log_ignored(*sections),
    )
    return place, notes


def _input(wanted: Wanted) -> tuple[str, BinaryIO, str | None]:
    """(path, stream, name of the stream) of an input."""
    nothing = cast(BinaryIO, io.BytesIO())
    file = wanted.file
    if (file is None) == (wanted.rows is None):
        problem = "there are no rows" if file is None else "file and rows at once"
        raise UsageError(problem, hint=f"give {_HOW}")
    if file is None:
        return "-", nothing, TITLE
    if isinstance(file, str | bytes | os.PathLike):
        path = os.fsdecode(file)
        return path, _standard_input() if path == "-" else nothing, None
    if isinstance(file, io.TextIOBase) or not hasattr(file, "read"):
        problem = "a stream of text" if isinstance(file, io.TextIOBase) else f"of type {type(file).__name__}"
        raise UsageError(f"file: this is {problem}, not a path or a stream of bytes", hint=f"give {_HOW}")
    name = getattr(file, "name", None)
    return "-", cast(BinaryIO, file), name if isinstance(name, str) and name else "stream"


def _standard_input() -> BinaryIO:
    if sys.stdin.isatty():
        raise UsageError("standard input is a terminal", hint=f"give {_HOW}")
    return sys.stdin.buffer


def _rows(rows: object, given: Mapping[str, Any]) -> tuple[BinaryIO, str]:
    stream, form = stream_of(rows)
    if given["format"] not in (None, form):
        raise UsageError(f"--format {given['format']}: these rows are {form}", hint="leave format out")
    return stream, form


def _at_home(request: SubmitRequest, functions: list[ImportableFunction], store: Store) -> SubmitRequest:
    """The request with the directory of the project, and with what a worker needs to import the functions."""
    cwd = request.cwd
    if store.project is not None:
        cwd = os.path.join(store.project, os.path.expanduser(cwd or ""))
    folders = [found.folder for found in functions if found.folder]
    missing = [folder for folder in dict.fromkeys(folders) if not _is_same(folder, cwd or os.getcwd())]
    env = request.env
    if missing and not any(text.partition("=")[0] == "PYTHONPATH" for text in env):
        env = (*env, f"PYTHONPATH={os.pathsep.join([*missing, *filter(None, [os.environ.get('PYTHONPATH')])])}")
    python = request.python
    if functions and python is None and request.call is not None and _is_other_python():
        python = sys.executable
    return replace(request, cwd=cwd, env=env, python=python)


def _is_same(folder: str, other: str) -> bool:
    return os.path.realpath(folder) == os.path.realpath(os.path.expanduser(other))


def _is_other_python() -> bool:
    """Whether workers would run in another Python than the one that has the function."""
    from jobctl.handlers.call import interpreter
    from jobctl.handlers.environment import submitter_environment

    return bool(sys.executable) and interpreter(_NO_OPTIONS, submitter_environment(os.environ)) != sys.executable
