"""The work that takes rows back, and its checks: a mistake in it must not be found when it is needed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from jobctl.domain.undo import shape_of
from jobctl.errors import UsageError
from jobctl.services.submit.request import Origin
from jobctl.undo.work import UndoWords


def option_of(words: UndoWords) -> str:
    """The option of a submission that gives this work."""
    if words.call is not None:
        return "--undo-call"
    return "--undo" if words.shell is None else "--undo-shell"


def check_function(
    words: UndoWords, origin: Origin, input_format: str, columns: Sequence[str] | None, option: str
) -> list[str]:
    """Load the function that takes rows back, if there is one; returns notices. Raises UsageError with the option."""
    if words.call is None:
        return []
    from jobctl.services.submit import check_function as functions  # starts a process

    shape, names = shape_of(input_format, columns)
    try:
        return functions.check_function(words.call, origin, shape, names)
    except UsageError as error:
        raise UsageError(error.message.replace("--call", option, 1), hint=error.hint) from None


def check_program(words: UndoWords, origin: Origin, *, elsewhere: bool) -> None:
    """Raise UsageError if the program of the command does not exist where the items of a job run."""
    if words.command:
        from jobctl.services.submit import program

        path = origin.env.get("PATH", os.defpath)
        program.check_program(words.command, program.CommandContext(origin.cwd, path, elsewhere=elsewhere))


def kept_words(given: Mapping[str, Any]) -> UndoWords | None:
    """The way back that a submission keeps; None without one. ``given`` has the options as they were read.

    Raises UsageError if two are given, or an option that needs one.
    """
    named = [f"--{name.replace('_', '-')}" for name in ("undo", "undo_shell", "undo_call") if given[name]]
    if not named:
        if given["undo_on_failure"]:
            raise UsageError(
                "--undo-on-failure needs a way to take a row back",
                hint="--undo COMMAND, --undo-shell TEXT or --undo-call MODULE:FUNCTION",
            )
        return None
    return words_of(named, given["undo"] or (), given["undo_shell"], given["undo_call"], "--undo-call")


def words_of(
    named: Sequence[str], command: tuple[str, ...], shell: str | None, call: str | None, option: str
) -> UndoWords:
    """The work that takes rows back; ``named`` are the ways that were given, ``option`` that of a function.

    Raises UsageError if there are two, or for a function that is written in another way.
    """
    from jobctl.domain.call import Call, parse_target

    if len(named) > 1:
        raise UsageError(f"{named[0]} and {named[1]} at once", hint="give one of them")
    try:
        function = None if not call else Call(parse_target(call))
    except UsageError as error:
        raise UsageError(f"{option}: {error.message}", hint=error.hint) from None
    return UndoWords(command, shell, function)
