"""Runs items as processes: a template of arguments is filled with the values of each row."""

from __future__ import annotations

from collections.abc import Sequence

from jobctl.domain.braces import Names
from jobctl.domain.payload import Fault, RowRules
from jobctl.domain.ports import Dispatch
from jobctl.domain.template import compile
from jobctl.errors import InputRejected
from jobctl.handlers.attempt import (
    ARGUMENT_LIMIT,
    MISSING,
    OWN_VARIABLES,
    POINTER,
    TOTAL_LIMIT,
    RowReader,
    Tokens,
    too_long,
    words_of,
)
from jobctl.handlers.handler import PROCESS_FIELDS, Kind, Row, at_start, dispatch_each


class CommandHandler:
    """One template of arguments for all rows."""

    kind = "command"

    def __init__(self, argv: Sequence[str], row: RowReader, tokens: Tokens, names: Names) -> None:
        self._template = compile(argv, names)
        if row.is_json and row.columns == () and self._template.fields:
            raise InputRejected(
                "the first rows have no keys to fill the command with", hint="each row is a JSON object"
            )
        room = TOTAL_LIMIT - OWN_VARIABLES - POINTER * len(self._template.arguments)
        safe = self._template.safe_length(ARGUMENT_LIMIT, room)
        self._fields = row.reader(self._template.fields)
        self._tokens = tokens
        #: The words as they were given, and the pieces that the template has read in each.
        self.argv, self.arguments = argv, self._template.arguments
        self.slotted = self._template.slotted
        self.appended = self._template.appended
        self.constant = self._template.constant
        self.notices = self._template.notices
        self.keeps_tags = self._template.keeps_tags
        required = frozenset(row.names(self._template.fields)) if row.is_json else frozenset()
        self.check = RowRules(self._check, safe, required)

    def _check(self, payload: bytes) -> Fault | None:
        try:
            argv = self._template.render(self._fields(payload), 1)
        except KeyError as error:
            return Fault(error.args[0], "missing", MISSING)
        return too_long(argv, (), None)

    def dispatch(self, job: int, item: int, attempt: int, payload: bytes) -> Dispatch:
        argv = self._template.render(self._fields(payload), item)
        return Dispatch(job, item, attempt, argv, self._tokens.environment(item, attempt, payload))

    def dispatch_all(self, job: int, rows: Sequence[Row]) -> tuple[list[Dispatch], list[Row]]:
        return dispatch_each(self, job, rows)

    def words(self, item: int, payload: bytes, /) -> tuple[str, ...]:
        return words_of(self.dispatch(0, item, 1, payload).argv)


def _check(handler: CommandHandler, _names: Names) -> None:
    from jobctl.domain.injection import check_scripts  # an engine does not need it: it runs accepted jobs

    check_scripts(handler.argv, handler.arguments)


KIND = Kind(
    name="command", make=CommandHandler, check=_check, command_at=at_start, unreadable_words=("?",), **PROCESS_FIELDS
)
