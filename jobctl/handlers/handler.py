"""The interface of every kind of work for the services and the engine: a handler for its rows, and the kind itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from jobctl.domain.braces import Names
from jobctl.domain.payload import RowRules
from jobctl.domain.ports import CallSpec, Dispatch, Finished
from jobctl.handlers.attempt import RowReader, StoredJob, Tokens

#: A job stops after this number of items in a row that found nothing to run, without a success between them.
ABSENT_LIMIT = 3
SHELL = b"/bin/sh"

#: (item, attempt, payload) of a claimed row.
Row = tuple[int, int, bytes]


class Handler(Protocol):
    """The interface of a handler for the services and the engine."""

    @property
    def kind(self) -> str:
        """The name of its kind, as the job stores it."""
        ...

    @property
    def slotted(self) -> bool:
        """True if argv contains the mark for the slot's number."""
        ...

    @property
    def appended(self) -> bool:
        """True if ``{}`` was added to a command without placeholders."""
        ...

    @property
    def constant(self) -> bool:
        """True if every row runs the same words, so that no value of a row is used."""
        ...

    @property
    def notices(self) -> Sequence[str]:
        """Sentences for the user about doubled braces in its template."""
        ...

    @property
    def keeps_tags(self) -> bool:
        """True if its template has tags of another template language, which keep their doubled braces."""
        ...

    @property
    def check(self) -> RowRules:
        """The rules for rows; call it with a payload, or hand it to a source as it is."""
        ...

    def dispatch(self, job: int, item: int, attempt: int, payload: bytes) -> Dispatch:
        """One attempt, ready for an executor."""
        ...

    def dispatch_all(self, job: int, rows: Sequence[Row]) -> tuple[list[Dispatch], list[Row]]:
        """The same for many rows, and the rows that cannot be dispatched: a person or a disk has changed them."""
        ...

    def words(self, item: int, payload: bytes, /) -> tuple[str, ...]:
        """The command of an item as words for people; a shell's variables come first, as NAME=VALUE."""
        ...


class LookAhead(NamedTuple):
    """The limits for attempts that the engine claims ahead of free slots."""

    least_us: float  # the shortest time that an attempt takes
    most: int  # attempts


class Kind(NamedTuple):
    """The functions of one kind of work. No field has a default, so that a new kind cannot leave one out."""

    name: str  # as in ``domain.handler_kinds``
    make: Callable[[Any, RowReader, Tokens, Names], Handler]  # from the stored command of a job
    check: Callable[[Any, Names], None]  # of a handler at submission; raises UsageError for a forbidden template
    call_spec: Callable[[StoredJob, Mapping[str, str], int], CallSpec | None]  # job, environment, recycle
    look_ahead: LookAhead
    #: The weight of an ending as evidence that there is nothing to run, up to ABSENT_LIMIT.
    absence: Callable[[Finished], int]
    #: The reason why its job stops, from the number of such items in a row and the message of the last one.
    absent_reason: Callable[[int, str], str]
    returns_values: bool  # an item that succeeds leaves a value, which has a column in the result files
    command_at: Callable[[Sequence[str]], int]  # the index in ``Handler.words`` where the command begins
    unreadable_words: tuple[str, ...]  # shown instead of ``Handler.words`` for a row that cannot be read


def dispatch_each(handler: Handler, job: int, rows: Sequence[Row]) -> tuple[list[Dispatch], list[Row]]:
    """``Handler.dispatch_all`` row by row: one row that cannot be read must not end the engine for all jobs."""
    made: list[Dispatch] = []
    unreadable: list[Row] = []
    for row in rows:
        try:
            made.append(handler.dispatch(job, *row))
        except Exception:  # the content of a row must not raise here
            unreadable.append(row)
    return made, unreadable


def no_check(_handler: Handler, _names: Names) -> None:
    """Accept every handler: no program evaluates any part of it."""


def at_start(_words: Sequence[str]) -> int:
    """The index of the command in words that have nothing before it."""
    return 0


def _no_call(_job: StoredJob, _environment: Mapping[str, str], _recycle: int) -> None:
    return None


def _absence(ended: Finished) -> int:
    from jobctl.domain.outcome import is_absent  # every engine has loaded it, and no submission asks

    return int(is_absent(ended.ending, ended.code))


def _absent_reason(in_a_row: int, _message: str) -> str:
    return f"the command could not be started {in_a_row} times in a row"


#: The fields that are the same for all kinds whose items are processes.
PROCESS_FIELDS: dict[str, Any] = {
    "call_spec": _no_call,
    "look_ahead": LookAhead(least_us=100.0, most=1_000),  # no process takes less
    "absence": _absence,
    "absent_reason": _absent_reason,
    "returns_values": False,
}
