"""The table of the kinds of work, and the handlers that jobs and submissions get from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from jobctl.domain import handler_kinds
from jobctl.domain.braces import Names
from jobctl.domain.call import Call
from jobctl.errors import UsageError
from jobctl.handlers.attempt import RowReader, StoredJob, Tokens, tokens_of
from jobctl.handlers.handler import Handler, Kind

#: The work option of a job whose template has tags that keep their doubled braces. Jobs of the first versions, which
#: halved all of them, have no such option and run as they were accepted.
KEEPS_TAGS = "keeps_tags"


def _command() -> Kind:
    from jobctl.handlers.command import KIND

    return KIND


def _shell() -> Kind:
    from jobctl.handlers.shell import KIND

    return KIND


def _column() -> Kind:
    from jobctl.handlers.column import KIND

    return KIND


def _call() -> Kind:
    from jobctl.handlers.call import KIND

    return KIND


#: Every kind by its name; ``domain.handler_kinds`` has the facts for documents. The kinds load at their first
#: use, because most jobs and most commands need one of them.
KINDS: dict[str, Callable[[], Kind]] = {"command": _command, "shell": _shell, "column": _column, "call": _call}


def check_tables() -> None:
    """Raise RuntimeError unless both tables have the same kinds: a job must not get an incomplete kind."""
    if KINDS.keys() != handler_kinds.KINDS.keys():
        incomplete = ", ".join(sorted(KINDS.keys() ^ handler_kinds.KINDS.keys()))
        raise RuntimeError(f"kinds of work in one table only, handlers.kinds or domain.handler_kinds: {incomplete}")


check_tables()


def kind_of(name: str) -> Kind:
    """The kind that a job stores. Raises UsageError for one of another version of jobctl."""
    return KINDS[handler_kinds.kind_of(name).name]()


def make_handler(
    command: Sequence[str] | Call,
    shell: str | None,
    input_format: str,
    columns: Sequence[str] | None,
    uid: str | Tokens = "",
) -> Handler:
    """The handler for the command or function of a submission; without one the rows must have a ``command``.

    The tokens of its rows are made of ``uid``.
    Raises UsageError for a template that does not fit the columns or has a value where a program would evaluate it,
    InputRejected if there is no command at all.
    """
    kind, work = _kind_and_work(command, shell)
    names = Names(columns)
    handler = _handler(kind, work, input_format, names, uid)
    kind.check(handler, names)
    return handler


def make_shell_for_commands(shell: str, input_format: str, columns: Sequence[str] | None) -> Handler:
    """The handler for rows that are commands themselves, as those of a joblog: the shell is meant to evaluate them."""
    return _handler(KINDS["shell"](), shell, input_format, Names(columns), "")


def _kind_and_work(command: Sequence[str] | Call, shell: str | None) -> tuple[Kind, Any]:
    """The kind of a submission, and the command as its job stores it."""
    if isinstance(command, Call):
        return KINDS["call"](), command.to_json()
    if shell is not None:
        if command:
            raise UsageError("--shell and a command after -- exclude each other", hint="leave out one of them")
        return KINDS["shell"](), shell
    return KINDS["command" if command else "column"](), command


def _handler(kind: Kind, work: Any, input_format: str, names: Names, uid: str | Tokens) -> Handler:
    tokens = uid if isinstance(uid, Tokens) else Tokens(uid)
    row = RowReader(input_format, names.columns)
    return kind.make(work, row, tokens, replace(names, columns=row.columns))


def handler_for(job: StoredJob) -> Handler:
    """The handler of a job as stored. Raises UsageError for a kind of another version of jobctl."""
    columns = None if job.input_format == "lines" else job.columns
    names = Names(columns, stored=True, keeps_tags=KEEPS_TAGS in job.work_options)
    return _handler(kind_of(job.handler), job.command, job.input_format, names, tokens_of(job))


def unreadable_handler() -> Handler:
    """Replaces the handler of a job whose row cannot be read. Nothing of such a job is started."""
    return make_handler((), "exit 1", "lines", None)
