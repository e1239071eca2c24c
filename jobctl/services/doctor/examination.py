"""The input of the checks of a store, and their results: one finding for each check."""

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
    """The result of a check."""

    OK = "ok"
    WARN = "warn"  # it works, but a person should look
    FAIL = "fail"  # does not work, or cannot be trusted


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    level: Level
    message: str
    action: str = ""  # what to type
    details: tuple[str, ...] = ()
    repaired: str = ""  # what was done about it


@dataclass(frozen=True, slots=True)
class Examined:
    """A store, as far as it could be opened."""

    home: Home
    now: int  # microseconds UTC
    program: str  # how jobctl is called, as in "jobctl --home /srv/queue"
    slots: int  # of the daemon that runs here, else of one that would be started now
    holder: int | None  # process that holds the daemon lock; 0 = the system does not say which
    look: FileState
    daemon: DaemonView
    database: Database | None  # None unless it can be used as it is

    @property
    def exists(self) -> bool:
        """Whether anything was ever submitted here."""
        return self.look.kind != "missing"


class Check(NamedTuple):
    """One line of the examination."""

    name: str
    examine: Callable[[Examined], Finding]
    #: Fixes what is safe to fix, and says what it did; '' = there was nothing to fix.
    mend: Callable[[Examined], str] | None = None
    needs_lock: bool = False  # mended only while no daemon runs


def ok(message: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, message)


def warn(message: str, action: str = "", details: tuple[str, ...] = ()) -> Finding:
    """It works, but a person should look."""
    return Finding(Level.WARN, message, action, details)


def fail(message: str, action: str = "", details: tuple[str, ...] = ()) -> Finding:
    """Does not work, or cannot be trusted."""
    return Finding(Level.FAIL, message, action, details)


def mended(finding: Finding, what: str) -> Finding:
    """The finding after something was done about it."""
    return replace(finding, repaired=what)


def document(name: str, finding: Finding) -> CheckBlock:
    """As part of a JSON document."""
    return {
        "name": name,
        "level": finding.level.value,
        "message": finding.message,
        "action": finding.action or None,
        "details": list(finding.details),
        "repaired": finding.repaired or None,
    }
