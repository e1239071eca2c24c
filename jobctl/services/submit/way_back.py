"""The checks of the work that takes rows back: a mistake in it must not be found when it is needed."""

from __future__ import annotations

import os
from collections.abc import Sequence

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
