"""Items that are processes: from a row to the argv and environment of one attempt.

``command`` fills an argv template, ``shell`` hands values to ``/bin/sh`` through the environment, ``column`` takes the
row's own ``command``. The engine knows a handler only as a ``Handler``.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from jobctl.domain.braces import Names, Placeholder
from jobctl.domain.call import Call
from jobctl.domain.payload import Fault, JsonNumber, RowRules, fields_of, json_object
from jobctl.domain.ports import Dispatch
from jobctl.domain.shell import PREFIX, compile_shell
from jobctl.domain.template import compile, value_of
from jobctl.errors import InputRejected, UsageError
from jobctl.handlers.attempt import (
    ARGUMENT_LIMIT,
    MISSING,
    OWN_VARIABLES,
    POINTER,
    TOTAL_LIMIT,
    RowReader,
    StoredJob,
    Tokens,
    tokens_of,
    too_long,
    words_of,
)
from jobctl.handlers.call import CallHandler

COMMAND_COLUMN = "command"
#: What a text can find out about its item without a placeholder: ``$JOBCTL_ITEM`` and others.
_OWN_VARIABLE = "JOBCTL_"
#: The work option of a job whose template has tags that keep their doubled braces. Jobs of the first versions, which
#: halved all of them, have no such option and run as they were accepted.
KEEPS_TAGS = "keeps_tags"
SHELL = b"/bin/sh"


class Handler(Protocol):
    """What the services and the engine need of a handler."""

    @property
    def kind(self) -> str:
        """``command``, ``shell``, ``column`` or ``call``, as stored with the job."""
        ...

    @property
    def slotted(self) -> bool:
        """Whether argv contains the mark for the slot's number."""
        ...

    @property
    def appended(self) -> bool:
        """Whether ``{}`` was added to a command without placeholders."""
        ...

    @property
    def constant(self) -> bool:
        """Whether every row runs the same words, so that its values reach nothing."""
        ...

    @property
    def notices(self) -> Sequence[str]:
        """What to say about doubled braces in its template."""
        ...

    @property
    def keeps_tags(self) -> bool:
        """Whether its template has tags of another template language, which keep their doubled braces."""
        ...

    @property
    def check(self) -> RowRules:
        """What rows must be like; call it with a payload, or hand it to a source as it is."""
        ...

    def dispatch(self, job: int, item: int, attempt: int, payload: bytes) -> Dispatch:
        """One attempt, ready for an executor."""
        ...

    def words(self, item: int, payload: bytes, /) -> tuple[str, ...]:
        """The command of an item as words for people; a shell's variables come first, as NAME=VALUE."""
        ...


def make_handler(
    command: Sequence[str] | Call,
    shell: str | None,
    input_format: str,
    columns: Sequence[str] | None,
    uid: str | Tokens = "",
) -> Handler:
    """The handler for a command or function given at submit; without any the rows must have a ``command``.

    ``uid`` is what the tokens of its rows are made of.
    Raises UsageError for a template that does not fit the columns or has a value where something would evaluate it,
    InputRejected if there is no command at all.
    """
    handler = _handler(command, shell, input_format, Names(columns), uid)
    if isinstance(handler, CommandHandler):
        from jobctl.domain.splicing import check_scripts  # of no use to an engine: what was accepted runs

        check_scripts(handler.argv, handler.arguments)
    elif isinstance(handler, ShellHandler):
        from jobctl.domain.splicing import check_shell

        check_shell(handler.text, handler.values, Names(columns).columns)
    return handler


def make_shell_for_commands(shell: str, input_format: str, columns: Sequence[str] | None) -> Handler:
    """The handler for rows that are commands themselves, as those of a joblog: the shell is meant to evaluate them."""
    return _handler((), shell, input_format, Names(columns), "")


def _handler(
    command: Sequence[str] | Call,
    shell: str | None,
    input_format: str,
    names: Names,
    uid: str | Tokens,
) -> Handler:
    row = RowReader(input_format, names.columns)
    names = replace(names, columns=row.columns)
    if isinstance(command, Call):
        return CallHandler(command, row)
    tokens = uid if isinstance(uid, Tokens) else Tokens(uid)
    if shell is not None:
        if command:
            raise UsageError("--shell and a command after -- exclude each other", hint="leave out one of them")
        return ShellHandler(shell, row, tokens, names)
    if command:
        return CommandHandler(command, row, tokens, names)
    return ColumnHandler(row, tokens)


def handler_for(job: StoredJob) -> Handler:
    """The handler of a job as stored."""
    columns = None if job.input_format == "lines" else job.columns
    names = Names(columns, stored=True, keeps_tags=KEEPS_TAGS in job.work_options)
    if job.handler == "call":
        return _handler(Call.from_json(job.command), None, job.input_format, names, "")
    shell = job.command if job.handler == "shell" else None
    command = job.command if job.handler == "command" else ()
    return _handler(command, shell, job.input_format, names, tokens_of(job))


def unreadable_handler() -> Handler:
    """Stands in for the handler of a job whose row cannot be read. Nothing of such a job is started."""
    return make_handler((), "exit 1", "lines", None)


class CommandHandler:
    """An argv template for all rows."""

    kind = "command"

    def __init__(self, argv: Sequence[str], row: RowReader, tokens: Tokens, names: Names) -> None:
        self._template = compile(argv, names)
        if row.is_json and row.columns == () and self._template.fields:
            raise InputRejected(
                "the first rows have no keys to fill the command with", hint="each row is a JSON object"
            )
        self._fields = row.reader(self._template.fields)
        self._tokens = tokens
        #: As it was given, and what was read out of each word.
        self.argv, self.arguments = argv, self._template.arguments
        self.slotted = self._template.slotted
        self.appended = self._template.appended
        self.constant = self._template.constant
        self.notices = self._template.notices
        self.keeps_tags = self._template.keeps_tags
        room = TOTAL_LIMIT - OWN_VARIABLES - POINTER * len(self._template.arguments)
        safe = self._template.safe_length(ARGUMENT_LIMIT, room)
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

    def words(self, item: int, payload: bytes, /) -> tuple[str, ...]:
        return words_of(self.dispatch(0, item, 1, payload).argv)


class ShellHandler:
    """A shell text for all rows; values are environment variables of the shell."""

    kind = "shell"
    slotted = False  # the shell reads JOBCTL_SLOT
    appended = False

    def __init__(self, text: str, row: RowReader, tokens: Tokens, names: Names) -> None:
        shell_text, values, self.notices, self.keeps_tags = compile_shell(text, names)
        #: What the shell gets, and what its variables stand for.
        self.text, self.values = shell_text, values
        self.constant = not values and _OWN_VARIABLE not in shell_text
        self._argv = (SHELL, b"-c", shell_text.encode("utf-8", "surrogateescape"))
        used = tuple(sorted({value.field for value in values}))
        self._fields = row.reader(used)
        self._variables = [_Variable(number, value) for number, value in enumerate(values, 1)]
        self._tokens = tokens
        fixed = sum(map(len, self._argv)) + OWN_VARIABLES
        if len(self._argv[2]) >= ARGUMENT_LIMIT:
            raise UsageError(f"--shell: the text is longer than {ARGUMENT_LIMIT >> 10} KiB", hint="put it into a file")
        room = (TOTAL_LIMIT - fixed) // max(1, len(values))
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

    def words(self, _item: int, payload: bytes, /) -> tuple[str, ...]:
        return words_of((*self._values(payload), *self._argv))


class _Variable:
    """One value on its way into the environment of a shell."""

    def __init__(self, number: int, placeholder: Placeholder) -> None:
        self._name = f"{PREFIX}{number}=".encode()
        self._value = value_of(placeholder)

    def __call__(self, fields: Sequence[bytes]) -> bytes:
        return self._name + self._value(fields, 0)


class ColumnHandler:
    """Every row brings its own command, split into words as a shell would quote them, but run by none."""

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
                hint="jobctl submit FILE -- COMMAND ARG..., or name a column 'command'",
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
            return Fault(COMMAND_COLUMN, "command", f"is no command: {error}")
        if not argv or not argv[0]:
            return Fault(COMMAND_COLUMN, "command", "is empty")
        return too_long(argv, (), COMMAND_COLUMN)

    def dispatch(self, job: int, item: int, attempt: int, payload: bytes) -> Dispatch:
        return Dispatch(job, item, attempt, self._argv(payload), self._tokens.environment(item, attempt, payload))

    def words(self, _item: int, payload: bytes, /) -> tuple[str, ...]:
        return words_of(self._argv(payload))


_QUOTING = re.compile(rb"[\\'\"]")
_BARE_WORD = re.compile(rb"[^ \t\r\n]+")


def _split(text: bytes) -> tuple[bytes, ...]:
    if not _QUOTING.search(text):
        return tuple(_BARE_WORD.findall(text))
    return tuple([word.encode() for word in shlex.split(text.decode(), comments=False, posix=True)])


def _json_command(payload: bytes) -> tuple[bytes, ...]:
    value = json_object(payload)[COMMAND_COLUMN]
    if isinstance(value, list):
        if all(isinstance(word, str) and not isinstance(word, JsonNumber) for word in value):
            return tuple([word.encode() for word in value])
        raise ValueError("a list of other things than strings")
    if isinstance(value, str) and not isinstance(value, JsonNumber):
        return _split(value.encode())
    raise ValueError("neither a string nor a list of strings")
