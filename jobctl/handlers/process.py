"""What all kinds have in common whose items are processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jobctl.domain import outcome
from jobctl.domain.braces import Names
from jobctl.domain.ports import Finished
from jobctl.handlers.attempt import RowReader, StoredJob, Tokens
from jobctl.handlers.handler import Ahead, Handler, Kind

#: Attempts that are handed over ahead of free slots, and the shortest time that a process takes.
_AHEAD = Ahead(least_us=100.0, most=1_000)


def process_kind(
    name: str,
    make: Callable[[Any, RowReader, Tokens, Names], Handler],
    *,
    check: Callable[[Any, Names], None],
    command_at: Callable[[Sequence[str]], int],
    lost_words: tuple[str, ...],
) -> Kind:
    """A kind of work whose items are processes."""
    return Kind(
        name=name,
        make=make,
        check=check,
        call_spec=_no_call,
        ahead=_AHEAD,
        absence=_absence,
        absent_reason=_absent_reason,
        returns_values=False,
        command_at=command_at,
        lost_words=lost_words,
    )


def no_check(_handler: Handler, _names: Names) -> None:
    """Nothing of such a handler is evaluated by a program."""


def at_start(_words: Sequence[str]) -> int:
    """The words are the command alone."""
    return 0


def _no_call(_job: StoredJob, _environment: Mapping[str, str], _recycle: int) -> None:
    return None


def _absence(ended: Finished) -> int:
    return int(outcome.is_absent(ended.ending, ended.code))


def _absent_reason(in_a_row: int, _message: str) -> str:
    return f"the command could not be started {in_a_row} times in a row"
