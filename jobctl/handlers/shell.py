"""Runs items as processes: ``/bin/sh`` runs one text for all rows, and their values reach it as variables."""

from __future__ import annotations

from collections.abc import Sequence

from jobctl.domain.braces import Names, Placeholder
from jobctl.domain.payload import Fault, RowRules
from jobctl.domain.ports import Dispatch
from jobctl.domain.shell import PREFIX, compile_shell
from jobctl.domain.template import value_of
from jobctl.errors import UsageError
from jobctl.handlers.attempt import (
    ARGUMENT_LIMIT,
    MISSING,
    OWN_VARIABLES,
    TOTAL_LIMIT,
    RowReader,
    Tokens,
    too_long,
    words_of,
)
from jobctl.handlers.handler import PROCESS_FIELDS, SHELL, Kind, Row, dispatch_each

#: A text can learn about its item without a placeholder through variables with this prefix, as ``$JOBCTL_ITEM``.
_OWN_VARIABLE = "JOBCTL_"


class ShellHandler:
    """One shell text for all rows; their values are environment variables of the shell."""

    kind = "shell"
    slotted = False  # the shell reads JOBCTL_SLOT
    appended = False

    def __init__(self, text: str, row: RowReader, tokens: Tokens, names: Names) -> None:
        shell_text, placeholders, self.notices, self.keeps_tags = compile_shell(text, names)
        #: The text for the shell, and the placeholders that its variables replace.
        self.text, self.placeholders = shell_text, placeholders
        self.constant = not placeholders and _OWN_VARIABLE not in shell_text
        self._argv = (SHELL, b"-c", shell_text.encode("utf-8", "surrogateescape"))
        used = tuple(sorted({placeholder.field for placeholder in placeholders}))
        self._fields = row.reader(used)
        self._variables = [_Variable(number, placeholder) for number, placeholder in enumerate(placeholders, 1)]
        self._tokens = tokens
        fixed = sum(map(len, self._argv)) + OWN_VARIABLES
        if len(self._argv[2]) >= ARGUMENT_LIMIT:
            raise UsageError(f"--shell: the text is longer than {ARGUMENT_LIMIT >> 10} KiB", hint="put it into a file")
        room = (TOTAL_LIMIT - fixed) // max(1, len(placeholders))
        required = frozenset(row.names(used)) if row.is_json else frozenset()
        self.check = RowRules(self._check, min(ARGUMENT_LIMIT, room) - 64, required)

    def _check(self, payload: bytes) -> Fault | None:
        try:
            return too_long(self._argv, self._values(payload), None)
        except KeyError as error:
            return Fault(error.args[0], "missing", MISSING)

    def _values(self, payload: bytes) -> tuple[bytes, ...]:
        fields = self._fields(payload)
        return tuple([variable(fields) for variable in self._variables])

    def dispatch(self, job: int, item: int, attempt: int, payload: bytes) -> Dispatch:
        environment = self._tokens.environment(item, attempt, payload) + self._values(payload)
        return Dispatch(job, item, attempt, self._argv, environment)

    def dispatch_all(self, job: int, rows: Sequence[Row]) -> tuple[list[Dispatch], list[Row]]:
        return dispatch_each(self, job, rows)

    def words(self, _item: int, payload: bytes, /) -> tuple[str, ...]:
        return words_of((*self._values(payload), *self._argv))


class _Variable:
    """Makes the variable of one placeholder."""

    def __init__(self, number: int, placeholder: Placeholder) -> None:
        self._name = f"{PREFIX}{number}=".encode()
        self._value = value_of(placeholder)

    def __call__(self, fields: Sequence[bytes]) -> bytes:
        return self._name + self._value(fields, 0)


def _check(handler: ShellHandler, names: Names) -> None:
    from jobctl.domain.injection import check_shell  # an engine does not need it: it runs accepted jobs

    check_shell(handler.text, handler.placeholders, names.columns)


def _after_variables(words: Sequence[str]) -> int:
    return words.index(SHELL.decode())


KIND = Kind(
    name="shell",
    make=ShellHandler,
    check=_check,
    command_at=_after_variables,
    unreadable_words=(SHELL.decode(),),
    **PROCESS_FIELDS,
)
