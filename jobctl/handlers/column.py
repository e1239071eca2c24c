"""Runs items as processes: every row has its own command in the column ``command``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from jobctl.domain.braces import Names
from jobctl.domain.payload import Fault, JsonNumber, RowRules, fields_of, json_object
from jobctl.domain.ports import Dispatch
from jobctl.domain.shell_words import split
from jobctl.errors import InputRejected
from jobctl.handlers.attempt import MISSING, RowReader, Tokens, too_long, words_of
from jobctl.handlers.handler import PROCESS_FIELDS, Kind, Row, at_start, dispatch_each, no_check

COMMAND_COLUMN = "command"


class ColumnHandler:
    """Every row has its own command. It is split by the quoting rules of a shell, but no shell runs it."""

    kind = "column"
    slotted = False
    appended = False
    constant = False
    keeps_tags = False
    notices: Sequence[str] = ()

    def __init__(self, row: RowReader, tokens: Tokens) -> None:
        columns = row.columns or ()
        if COMMAND_COLUMN not in columns:
            raise InputRejected(
                f"no command was given and the input has no {COMMAND_COLUMN!r} column",
                hint="put one after the file: FILE -- COMMAND ARG..., or name a column 'command'",
                details=[f"columns: {', '.join(columns)}"] if columns else (),
            )
        index = columns.index(COMMAND_COLUMN)
        self._argv: Callable[[bytes], tuple[bytes, ...]] = (
            _json_command if row.is_json else lambda payload: _split(fields_of(row.format, payload)[index])
        )
        self._tokens = tokens
        self.check = RowRules(self._check, required=frozenset({COMMAND_COLUMN}) if row.is_json else frozenset())

    def _check(self, payload: bytes) -> Fault | None:
        try:
            argv = self._argv(payload)
        except KeyError:
            return Fault(COMMAND_COLUMN, "missing", MISSING)
        except ValueError as error:
            return Fault(COMMAND_COLUMN, "command", f"is not a command: {error}")
        if not argv or not argv[0]:
            return Fault(COMMAND_COLUMN, "command", "is empty")
        return too_long(argv, (), COMMAND_COLUMN)

    def dispatch(self, job: int, item: int, attempt: int, payload: bytes) -> Dispatch:
        return Dispatch(job, item, attempt, self._argv(payload), self._tokens.environment(item, attempt, payload))

    def dispatch_all(self, job: int, rows: Sequence[Row]) -> tuple[list[Dispatch], list[Row]]:
        return dispatch_each(self, job, rows)

    def words(self, _item: int, payload: bytes, /) -> tuple[str, ...]:
        return words_of(self._argv(payload))


_QUOTING = re.compile(rb"[\\'\"]")
_BARE_WORD = re.compile(rb"[^ \t\r\n]+")


def _split(text: bytes) -> tuple[bytes, ...]:
    if not _QUOTING.search(text):
        return tuple(_BARE_WORD.findall(text))
    return tuple([word.encode() for word in split(text.decode())])


def _json_command(payload: bytes) -> tuple[bytes, ...]:
    value = json_object(payload)[COMMAND_COLUMN]
    if isinstance(value, list):
        if all(isinstance(word, str) and not isinstance(word, JsonNumber) for word in value):
            return tuple([word.encode() for word in value])
        raise ValueError("a list of other things than strings")
    if isinstance(value, str) and not isinstance(value, JsonNumber):
        return _split(value.encode())
    raise ValueError("neither a string nor a list of strings")


def _make(_command: object, row: RowReader, tokens: Tokens, _names: Names) -> ColumnHandler:
    return ColumnHandler(row, tokens)


KIND = Kind(name="column", make=_make, check=no_check, command_at=at_start, unreadable_words=("?",), **PROCESS_FIELDS)
