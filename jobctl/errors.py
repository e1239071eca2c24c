"""The one error tree. Each class is a problem that a user can have, and has its exit code.

An error is raised where the problem is known, and caught once, in ``cli.edge``. A failed item is not an error but a
value.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

TYPE_CHECKING = False  # as typing's own, which takes longer to import than this
if TYPE_CHECKING:
    from typing import Any


class Exit(IntEnum):
    """Exit codes of every command; the table in jobctl(1)."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    PARTIAL = 3
    FAILED = 4
    CANCELLED = 5
    EXPIRED = 6
    REJECTED = 7
    CONFLICT = 8
    NOT_FOUND = 9
    BUSY = 75
    WAIT_TIMEOUT = 124


class JobctlError(Exception):
    """A problem with a message for a person, a hint with the next step, and an exit code."""

    exit_code: Exit = Exit.INTERNAL
    code: str = "internal"

    def __init__(self, message: str, *, hint: str | None = None, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = tuple(details)
        self._notes: list[str] = []

    @property
    def __notes__(self) -> list[str]:
        """The details and the hint, which Python prints below the message in a traceback, and notes of others."""
        return [*self._own_notes(), *self._notes]

    @__notes__.setter
    def __notes__(self, notes: Sequence[str]) -> None:
        """Take the notes of a copy, as libraries set them that send exceptions to other processes."""
        own = self._own_notes()
        self._notes = list(notes[len(own) :] if list(notes[: len(own)]) == own else notes)

    def _own_notes(self) -> list[str]:
        return [f"  {line}" for line in (*self.details, self.hint) if line]

    def add_note(self, note: str, /) -> None:
        """Add a line to the traceback."""
        self._notes.append(note)

    def __reduce__(self) -> tuple[Any, ...]:
        """Let the error cross to another process of the program, whatever its class needs to be made."""
        return _restored, (type(self), self.args, dict(self.__dict__))


def _restored(kind: type[JobctlError], args: tuple[Any, ...], facts: dict[str, Any]) -> JobctlError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error


class UsageError(JobctlError):
    """An option or argument is wrong; nothing was changed."""

    exit_code = Exit.USAGE
    code = "usage"


class WrongState(UsageError):
    """The job is in a state in which the command has no effect; nothing was changed."""


class UnknownColumn(UsageError):
    """The command names a column that the input does not have: the command or the input is the wrong one."""

    exit_code = Exit.REJECTED
    code = "unknown_column"


class InputRejected(JobctlError):
    """The input file cannot be accepted; no job was made."""

    exit_code = Exit.REJECTED
    code = "input_rejected"


class KeyConflict(JobctlError):
    """The idempotency key belongs to a job with another fingerprint."""

    exit_code = Exit.CONFLICT
    code = "key_conflict"


class JobChanged(JobctlError):
    """The job has changed since the caller read it, and the caller wanted no change of what it does not know."""

    exit_code = Exit.CONFLICT
    code = "job_changed"


class NotFound(JobctlError):
    """No such job, item, attempt or queue."""

    exit_code = Exit.NOT_FOUND
    code = "not_found"


def no_such_job(job: int) -> NotFound:
    """Return the error for a number that no job has."""
    return NotFound(f"there is no job {job}", hint="jobctl status --all lists every job")


class Busy(JobctlError):
    """Another process keeps a lock that is needed, or no daemon runs where one is needed."""

    exit_code = Exit.BUSY
    code = "busy"


class OlderDaemon(Busy):
    """A daemon of an older jobctl works on the store, whose database would have to be migrated."""


class StoreError(JobctlError):
    """The database cannot be used as it is: damaged, foreign, or written by a newer jobctl."""

    code = "store"


class HomeError(JobctlError):
    """The state directory cannot be trusted or written."""

    code = "home"


class NoRoom(JobctlError):
    """Too little room on a disk; nothing was changed."""

    code = "no_room"


class WaitTimeout(JobctlError):
    """The wait is over, and the job continues."""

    exit_code = Exit.WAIT_TIMEOUT
    code = "wait_timeout"
