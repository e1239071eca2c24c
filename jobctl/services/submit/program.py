"""Check that the first word of a command is a program; the message for another word says what to type instead."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from typing import NamedTuple

from jobctl.domain.nearest import nearest
from jobctl.errors import UsageError
from jobctl.sources.options import NAME_SUFFIXES, unpacked_name

_END = "--"
#: Words that people write after an option, although it takes no value.
_ANSWERS = {"yes", "no", "true", "false", "on", "off"}
#: Units of the number before them, and the spelling of each unit in jobctl.
_UNITS = {
    word: unit
    for unit, words in {
        "%": "% percent",
        "ms": "ms",
        "s": "s sec secs second seconds",
        "m": "m min mins minute minutes",
        "h": "h hr hrs hour hours",
        "d": "d day days",
        "K": "K KB KiB k kB kb",
        "M": "M MB MiB mb",
        "G": "G GB GiB g gb",
        "T": "T TB TiB",
        "/s": "/s",
        "/m": "/m /min",
        "/h": "/h",
        "/d": "/d",
    }.items()
    for word in words.split()
}
#: An option that was given no value.
_BARE_OPTION = re.compile(r"-[A-Za-z]+|--[a-z][a-z-]*")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
#: Words that only a shell knows. Some systems have programs of these names; then they are found.
_OF_SHELLS = {
    *("cd", "source", ".", ":", "export", "alias", "unalias", "set", "unset", "eval", "exec", "ulimit", "umask"),
    *("if", "for", "while", "until", "case", "function", "{", "(", "[[", "!", "let", "local", "declare", "pushd"),
    *("popd", "shopt", "setopt", "builtin", "command", "type", "hash", "read", "return", "wait", "trap", "jobs"),
    *("bg", "fg", "ll", "la", "time", "then", "do", "select", "coproc", "((", "shift", "readonly", "typeset", "disown"),
}
_INTERPRETERS = {
    ".py": "python3",
    ".sh": "sh",
    ".bash": "bash",
    ".pl": "perl",
    ".rb": "ruby",
    ".js": "node",
    ".R": "Rscript",
}
_ASSIGNMENT = r"[A-Za-z_][A-Za-z0-9_]*="
#: Hyphens, dashes and minus signs outside ASCII.
_LONG_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
#: The most bytes of the first line of a script that are read.
_LONGEST_LINE = 256


class CommandContext(NamedTuple):
    """The position of a command on the command line, and the place where it will run.

    ``own`` are the arguments before it; ``separated``: ``--`` is between them and the command. ``path`` is the PATH
    of the items. ``elsewhere``: they run on other machines, at another time or with another PATH, so that a program
    may be there which is not here now.
    """

    cwd: str
    path: str
    own: Sequence[str] = ()
    separated: bool = True
    elsewhere: bool = False


def check_program(command: Sequence[str], context: CommandContext) -> str:
    """Return a warning about a command, or ''. Raises UsageError for a command that makes no sense."""
    first = command[0] if command and os.path.isdir(context.cwd) else ""
    if not first or "{" in first.replace("{{", ""):  # the row says which program
        return ""
    found = find(first, context)
    _refuse_answer(command, context, is_program=found is not None)
    if found is not None:
        broken = _broken_script(found)
        if broken is None:
            return ""
        message, hint = broken
    else:
        _refuse_nonsense(command, context)
        message, hint = _missing(first, context)
    if context.elsewhere:
        return f"{message}; an item fails if it is still so when and where it starts"
    raise UsageError(message, hint=hint)


def find(name: str, context: CommandContext) -> str | None:
    """The file that an item would run; None if there is none, or none that can be run."""
    if os.sep in name:
        candidates = [_file(name, context)]
    else:
        candidates = [os.path.join(context.cwd, folder, name) for folder in context.path.split(":")]
    return next((path for path in candidates if os.path.isfile(path) and os.access(path, os.X_OK)), None)


def _file(name: str, context: CommandContext) -> str:
    """The file of that name. ``..`` stays: behind a symbolic link it is another folder than it looks like."""
    return os.path.join(context.cwd, re.sub(r"\A(?:\./+)+", "", name))


def _refuse_answer(command: Sequence[str], context: CommandContext, *, is_program: bool) -> None:
    """``--hold true -- echo {}``: true is a program as well, and echo would never run."""
    first, before = command[0], context.own[-1] if context.own else ""
    if context.separated or first.lower() not in _ANSWERS:
        return
    after_option = _BARE_OPTION.fullmatch(before) is not None
    start = command.index(_END) + 1 if _END in command else 1
    real = command[start] if start < len(command) else ""
    runs_real = bool(real) and find(real, context) is not None and (after_option or start == 2)
    if runs_real or (after_option and not is_program):
        only = f", and {real} only its argument" if real and real != _END else ""
        raise UsageError(
            f"{first!r} would be the command here{only}",
            hint=f"{before if after_option else 'the last option'} takes no value: leave {first} out",
        )


def _refuse_nonsense(command: Sequence[str], context: CommandContext) -> None:
    """Raises UsageError for a first word that is not a program on any system."""
    first = command[0]
    stray = shlex.join(command[: command.index(_END)]) if _END in command and not context.separated else ""
    _refuse_number(first, context)
    if first.startswith("-"):
        raise UsageError(
            f"the command begins with {first!r}, which is not a program",
            hint="put options of jobctl before --, and those of the command after its name",
        )
    if first[0] in _LONG_DASHES:
        raise UsageError(
            f"{first!r} begins with a long dash, as some editors and web pages make of -",
            hint=f"write {shlex.quote(f'--{first[1:]}' if len(first) > 2 else f'-{first[1:]}')}",
        )
    if re.match(_ASSIGNMENT, first):
        raise UsageError(f"{first!r} sets a variable, which only a shell reads", hint=f"--env {shlex.quote(first)}")
    if first in _OF_SHELLS or f"BASH_FUNC_{first}%%" in os.environ:
        raise UsageError(
            f"{first!r} is a word of the shell, not a program", hint="a shell reads what is given to --shell 'TEXT'"
        )
    _refuse_second_file(first, context)
    if stray and not os.path.exists(os.path.join(context.cwd, first)):
        raise UsageError(
            f"{stray!r} is before --, where the command would begin, and it is not a program",
            hint="FILE [OPTIONS] -- COMMAND ARG...: leave it out, or write it into the option that it belongs to",
        )


def _refuse_number(first: str, context: CommandContext) -> None:
    """``-n 4 -- echo {}`` and ``--timeout 5 s -- echo {}``: a number or a unit is not a program."""
    before = context.own[-1] if context.own else ""
    if _NUMBER.fullmatch(before) and first in _UNITS:
        option = context.own[-2] if len(context.own) > 1 and context.own[-2].startswith("-") else ""
        together = f"{option} {before}{_UNITS[first]}".strip()
        raise UsageError(f"{first!r} would be the command here", hint=f"without a blank: {together}")
    if re.fullmatch(r"[0-9.,]+%?", first):
        hint = "FILE [OPTIONS] -- COMMAND ARG..."
        if before == "-n":
            hint = f"-n is --dry-run and takes no value; for slots it is -j {first}"
        elif before.startswith("-") and "=" not in before:
            hint = f"{before} takes no value: leave {first} out"
        raise UsageError(f"{first!r} would be the command here, and it is a number", hint=hint)


def _refuse_second_file(first: str, context: CommandContext) -> None:
    """``submit a.csv b.csv -- load {}``. A script that lacks only the right to execute is not refused here."""
    here = _file(first, context)
    name = unpacked_name(first)
    is_data = name.endswith(tuple(NAME_SUFFIXES))
    if context.separated or not os.path.isfile(here) or os.path.splitext(name)[1] in _INTERPRETERS:
        return
    if is_data or not os.access(here, os.X_OK):  # on some file systems every file may be executed
        raise UsageError(
            f"one FILE at a time: {first!r} is where the command begins, and it is not a program",
            hint="submit each of them, or put their rows together into one",
        )


def _missing(first: str, context: CommandContext) -> tuple[str, str]:
    """Return the problem with a program that is not found, and what to type."""
    here = _file(first, context)
    if first.startswith("~"):
        return f"{first!r}: a shell expands ~ only without quotes", f"write {shlex.quote(os.path.expanduser(first))}"
    if first.startswith("$"):
        hint = "write it in double quotes, or give the whole line to --shell"
        return f"{first!r}: only a shell replaces a variable after $, and not in single quotes", hint
    if os.path.isdir(here) and os.sep in first:
        return f"{first!r} is a folder, not a program", "name the program in it"
    if os.path.isfile(here):
        return _unfit(first, here)
    later = f"if it is there only when the items run: env {shlex.quote(first)} ..."
    if os.sep in first:
        near = nearest(os.path.basename(first), _names([os.path.dirname(here)]))
        meant = f"did you mean {os.path.join(os.path.dirname(first), near)}? " if near else ""
        return f"there is no file {here}", f"{meant}{later}"
    near = nearest(first, _names([os.path.join(context.cwd, folder) for folder in context.path.split(":")]), 0.7)
    return f"no program {first!r} is found on PATH", f"{f'did you mean {near}? ' if near else ''}{later}"


def _unfit(first: str, here: str) -> tuple[str, str]:
    """A file that is there, but does not run under the name that was typed."""
    path = first if os.sep in first else f"./{first}"
    if os.access(here, os.X_OK):
        return f"{first!r} is not on PATH; it is a file of the working directory", f"write {path}"
    if unpacked_name(first).endswith(tuple(NAME_SUFFIXES)):
        return f"{first!r} is a file of rows, not a program", "FILE [OPTIONS] -- COMMAND ARG...: one FILE at a time"
    stem, suffix = os.path.splitext(first)
    with_interpreter = f", or {_INTERPRETERS[suffix]} {first}" if suffix in _INTERPRETERS and stem else ""
    return f"{first!r} is a file that may not be executed", f"chmod +x {path}, then write {path}{with_interpreter}"


def _broken_script(found: str) -> tuple[str, str] | None:
    """Return the problem with the first line of a script, and what to type; None if there is none."""
    try:
        with open(found, "rb") as file:
            line = file.read(_LONGEST_LINE).partition(b"\n")[0]
    except OSError:  # a file that may be executed need not be readable
        return None
    words = line[2:].split(b" ") if line.startswith(b"#!") else []
    interpreter = os.fsdecode(next((word for word in words if word), b"").split(b"\t")[0])
    if line.startswith(b"#!") and line.endswith(b"\r"):
        hint = f"sed -i 's/\\r$//' {shlex.quote(found)}"
        return f"{found}: its first line ends as on Windows, so its interpreter is not found", hint
    if interpreter.startswith("/") and not os.path.exists(interpreter):
        return f"{found}: the interpreter {interpreter} of its first line does not exist", "correct its first line"
    return None


def _names(folders: Sequence[str]) -> list[str]:
    """The programs in some folders."""
    found = []
    for folder in folders:
        try:
            found += [entry.name for entry in os.scandir(folder) if entry.is_file() and os.access(entry.path, os.X_OK)]
        except OSError:
            continue
    return found
