"""The way to take a row back: the work that a job keeps for it, and the rows of the undo job that does it.

A row of an undo job is a row of the other job with a few columns added. So every kind of work, every placeholder and
every check works with them as with any other column, and they stay the same however often the undo is tried.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jobctl.domain.payload import SEPARATOR
from jobctl.errors import UsageError

#: The item that is taken back (``42.17``), the attempt in which it succeeded, its JOBCTL_TOKEN, and its result: the
#: value that its function returned, otherwise the last line that it printed. No input has columns of these names,
#: because jobctl removes its own columns from what is submitted.
UNDO_OF, UNDO_ATTEMPT, UNDO_TOKEN, UNDO_RESULT = (
    "jobctl_undo_of",
    "jobctl_undo_attempt",
    "jobctl_undo_token",
    "jobctl_undo_result",
)
COLUMNS = (UNDO_OF, UNDO_ATTEMPT, UNDO_TOKEN, UNDO_RESULT)
#: The columns that identify an undo: after another success of the row, an undo of it is another undo.
IDENTITY = (UNDO_OF, UNDO_ATTEMPT)
#: The name of the column of a plain line.
LINE = "line"
#: The longest text of a command in bytes, as of every other argument (MAX_ARG_STRLEN of Linux).
_LONGEST_COMMAND = 128 << 10
#: A longer result is in the row alone, not in the environment of an item.
LONGEST_VARIABLE = 16 << 10


class Undo(NamedTuple):
    """The work that takes back a row, as a job keeps it."""

    handler: str  # the name of its kind
    command: Any  # as a job stores it
    on_failure: bool = False  # start it when the job ends without success
    work_options: Mapping[str, Any] = {}

    def to_json(self) -> dict[str, Any]:
        """The value of the column ``undo`` of a job."""
        return {
            "handler": self.handler,
            "command": self.command,
            "on_failure": self.on_failure,
            "work_options": dict(self.work_options),
        }


def undo_of(stored: str | None) -> Undo | None:
    """Read the column ``undo`` of a job; None for a job without a way back."""
    if not stored:
        return None
    found = json.loads(stored)
    return Undo(found["handler"], found["command"], bool(found.get("on_failure")), found.get("work_options", {}))


def parse_command(text: str) -> tuple[str, ...]:
    """Split the text of a command by the quoting rules of a shell; no shell runs it. Raises UsageError."""
    from jobctl.domain.shell_words import split  # few commands read such a text

    if len(text.encode("utf-8", "replace")) >= _LONGEST_COMMAND:
        raise UsageError(f"the command is longer than {_LONGEST_COMMAND >> 10} KiB", hint="put it into a script")
    try:
        words = tuple(split(text))
    except ValueError as error:
        raise UsageError(f"{text!r} is not a command: {error}", hint="quote its words as for a shell") from None
    if not words or not words[0]:
        raise UsageError("the command is empty", hint="for example --undo './refund {id}'")
    return words


def shape_of(input_format: str, columns: Sequence[str] | None) -> tuple[str, tuple[str, ...]]:
    """The format and the columns of the rows of an undo job. A plain line becomes a table with one column."""
    if input_format == "lines":
        return "csv", (LINE, *COLUMNS)
    return input_format, (*(columns or ()), *COLUMNS)


class Taken(NamedTuple):
    """A row to take back, with what is known about its success."""

    of: str
    attempt: int
    token: str
    result: Any  # a JSON value; '' if it is not known


def payload_of(input_format: str, payload: bytes, taken: Taken) -> bytes:
    """The row of an undo job, made of the row that it takes back."""
    if input_format == "jsonl":
        members = json.dumps(dict(zip(COLUMNS, taken, strict=True)), ensure_ascii=True)
        body = payload.rstrip()[:-1].rstrip()
        comma = b"" if body.endswith(b"{") else b","
        return body + comma + members[1:].encode()
    cells = (taken.of, str(taken.attempt), taken.token, text_of(taken.result))
    return SEPARATOR.join((payload, *(cell.encode("utf-8", "surrogateescape") for cell in cells)))


def text_of(result: Any) -> str:
    """A result as the cell of a table: a text as it is, any other value as JSON. No cell has a NUL."""
    text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    return text.replace("\0", "")
