"""The types that all checks share: the store that they check, and the result that each of them returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from jobctl.config import Home
from jobctl.services.daemon.view import DaemonView
from jobctl.store.database import Database
from jobctl.store.opening.file_state import FileState

if TYPE_CHECKING:
    from jobctl.domain.documents.checks import CheckBlock


class Level(StrEnum):
    """How serious the result of a check is."""

    OK = "ok"  # nothing to do
    WARN = "warn"  # it works, but a person should look
    FAIL = "fail"  # it does not work, or it cannot be trusted


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check, for people."""

    level: Level
    message: str
    action: str = ""  # the command or the step that fixes it
    details: tuple[str, ...] = ()
    repaired: str = ""  # the repair that this run made


@dataclass(frozen=True, slots=True)
class CheckedStore:
    """A store to check, opened as far as that is possible."""

    home: Home
    now: int  # microseconds UTC
    program: str  # the command line of jobctl for this store, as in "jobctl --home /srv/queue"
    slots: int  # of the running daemon; without one, of the daemon that the settings describe
    holder: int | None  # the process that holds the daemon lock; 0 = the system does not say which one it is
    file_state: FileState
    daemon: DaemonView
    database: Database | None  # None if it cannot be opened, or not without a migration

    @property
    def exists(self) -> bool:
        """Return whether there is a database file."""
        return self.file_state.kind != "missing"


class Check(NamedTuple):
    """A check, and the repair that belongs to it."""

    name: str
    examine: Callable[[CheckedStore], CheckResult]
    #: Repairs what is safe to repair, and returns a sentence about it; '' if there was nothing to repair.
    repair: Callable[[CheckedStore], str] | None = None
    needs_lock: bool = False  # the repair needs the daemon lock, so it runs only while no daemon runs


def ok(message: str) -> CheckResult:
    """A result without a problem."""
    return CheckResult(Level.OK, message)


def warn(message: str, action: str = "", details: tuple[str, ...] = ()) -> CheckResult:
    """A result that a person should look at, although everything works."""
    return CheckResult(Level.WARN, message, action, details)


def fail(message: str, action: str = "", details: tuple[str, ...] = ()) -> CheckResult:
    """A result that says that something does not work, or cannot be trusted."""
    return CheckResult(Level.FAIL, message, action, details)


def with_repair(result: CheckResult, repaired: str) -> CheckResult:
    """The result with the repair that led to it."""
    return replace(result, repaired=repaired)


def document(name: str, result: CheckResult) -> CheckBlock:
    """The result of a check as a part of ``jobctl.doctor/1``."""
    return {
        "name": name,
        "level": result.level.value,
        "message": result.message,
        "action": result.action or None,
        "details": list(result.details),
        "repaired": result.repaired or None,
    }
