"""The work that takes back a row: read from a command line, checked against the columns of an undo job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from jobctl.domain.call import Call
from jobctl.domain.undo import Undo, shape_of
from jobctl.errors import UsageError
from jobctl.handlers.handler import Handler
from jobctl.handlers.kinds import KEEPS_TAGS, make_handler

#: The placeholder of a line, which is added to a command without any, as for the command of a job.
_LINE_PLACEHOLDER = "{}"


class UndoWords(NamedTuple):
    """What a command line gives to take rows back: one of these."""

    command: tuple[str, ...] = ()
    shell: str | None = None
    call: Call | None = None

    @property
    def is_given(self) -> bool:
        """True if there is any work."""
        return bool(self.command) or self.shell is not None or self.call is not None


def undo_work(
    words: UndoWords, input_format: str, columns: Sequence[str] | None, *, on_failure: bool = False
) -> tuple[Undo, Handler]:
    """The way back for a job with these columns, and the handler that checks its rows.

    Raises UsageError for a placeholder that is not a column, and for a value where a program would evaluate it.
    """
    shape, names = shape_of(input_format, columns)
    if words.call is not None and words.call.style == "kwargs" and input_format == "lines":
        raise UsageError("--call-style kwargs: a plain line has no columns", hint="the function gets the line")
    command = words.command
    handler = make_handler(words.call or command, words.shell, shape, names)
    if input_format == "lines" and command and handler.constant:
        command = (*command, _LINE_PLACEHOLDER)
        handler = make_handler(command, None, shape, names)
    work = words.call.to_json() if words.call is not None else words.shell if words.shell is not None else list(command)
    options = {KEEPS_TAGS: True} if handler.keeps_tags else {}
    return Undo(handler.kind, work, on_failure, options), handler
