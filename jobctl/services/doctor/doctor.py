"""The examination of a store and of the machine below it; with or without a database that can be read."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from jobctl import __version__
from jobctl.config import Home
from jobctl.errors import JobctlError
from jobctl.process import lock
from jobctl.services.daemon.view import DaemonView, daemon_view
from jobctl.services.doctor.checks import cluster, directory, process, store
from jobctl.services.doctor.examination import Check, Examined, Finding, Level, document, fail, mended
from jobctl.store import sqlite
from jobctl.store.database import Database
from jobctl.store.opening import removed
from jobctl.store.opening.file_state import FileState, file_state
from jobctl.store.opening.open import open_database

if TYPE_CHECKING:
    from jobctl.domain.documents.checks import DoctorDocument

SCHEMA: Final = "jobctl.doctor/1"

CHECKS = (
    Check("home", directory.home),
    Check("permissions", directory.permissions, directory.close_to_others),
    Check("filesystem", directory.filesystem),
    Check("disk", directory.disk),
    Check("sqlite", store.library),
    Check("database", store.database),
    Check("wal", store.write_ahead_log, store.checkpoint, needs_lock=True),
    Check("backups", store.copies),
    Check("daemon", process.daemon),
    Check("cluster", cluster.cluster),
    Check("leftovers", process.leftovers, process.end_leftovers, needs_lock=True),
    Check("stray_files", directory.stray_files, directory.remove_strays, needs_lock=True),
    Check("clock", process.clock),
    Check("limits", process.limits),
    Check("wakeup", process.wake_up),
    Check("settings", process.configuration),
)


class Examination(NamedTuple):
    """What was found, in the order of the checks."""

    home: Home
    findings: list[tuple[str, Finding]]

    @property
    def ok(self) -> bool:
        """Whether nothing fails; what only deserves a look does not count."""
        return all(finding.level is not Level.FAIL for _, finding in self.findings)

    def count(self, level: str) -> int:
        """How many checks ended so."""
        return sum(finding.level == level for _, finding in self.findings)

    def document(self) -> DoctorDocument:
        """As JSON."""
        return {
            "schema": SCHEMA,
            "ok": self.ok,
            "home": str(self.home.root),
            "version": __version__,
            "checks": [document(name, finding) for name, finding in self.findings],
        }


def examine(home: Home, *, now: int, program: str, slots: int, repair: bool = False) -> Examination:
    """Look at everything; with ``repair`` fix what is safe to fix, some of it only while no daemon runs."""
    with _examined(home, now, program, slots) as examined:
        findings = [(check.name, _examine(check, examined)) for check in CHECKS]
    if not repair or all(finding.level is Level.OK for _, finding in findings):
        return Examination(home, findings)
    with _examined(home, now, program, slots) as examined, _the_lock(examined) as locked:
        again = [
            (check.name, _mend(check, finding, examined, locked))
            for check, (_, finding) in zip(CHECKS, findings, strict=True)
        ]
    return Examination(home, again)


def _examine(check: Check, examined: Examined) -> Finding:
    """Run one check. An error in a check becomes a finding, and the other checks still run."""
    try:
        return check.examine(examined)
    except (OSError, sqlite.Error, JobctlError) as error:
        return fail(f"cannot be examined: {error}")


def _mend(check: Check, finding: Finding, examined: Examined, locked: bool) -> Finding:
    if finding.level is Level.OK or check.mend is None:
        return finding
    if check.needs_lock and not locked:
        return replace(finding, action=finding.action or "not while a daemon runs")
    try:
        done = check.mend(examined)
    except (OSError, sqlite.Error, JobctlError) as error:
        return replace(finding, details=(*finding.details, f"cannot be repaired: {error}"))
    return mended(_examine(check, examined), done) if done else finding


@contextlib.contextmanager
def _examined(home: Home, now: int, program: str, slots: int) -> Iterator[Examined]:
    found = _look(home)
    database: Database | None = None
    if found.is_usable:
        with contextlib.suppress(JobctlError, OSError, sqlite.Error):
            database = open_database(home)
    try:
        holder = _holder(home)
        view = _view(database, home, now, holder)
        used = view.slots if view.is_working and view.cluster is None and view.slots else slots
        yield Examined(home, now, program, used, holder, found, view, database)
    finally:
        if database is not None:
            database.close()


def _look(home: Home) -> FileState:
    """Open nothing while a daemon has replaced files open: that would make a second log next to them."""
    found = removed.displaced(home)
    if found is None:
        return file_state(home.database)
    name, pid = found
    return FileState("displaced", findings=(f"{home.root / name}, which process {pid} of the running daemon has open",))


def _holder(home: Home) -> int | None:
    try:
        return lock.holder(str(home.lock))
    except OSError:  # another kind of file has its name; the check of permissions reports it
        return None


def _view(database: Database | None, home: Home, now: int, holder: int | None) -> DaemonView:
    if database is not None:
        with contextlib.suppress(sqlite.Error, OSError):
            return daemon_view(database, home, now)
    return DaemonView("down") if holder is None else DaemonView("recovering", pid=holder)


@contextlib.contextmanager
def _the_lock(examined: Examined) -> Iterator[bool]:
    """Hold the daemon lock during a repair, if no process has it. Meanwhile this process must not ask for it."""
    held = None
    if examined.holder is None and examined.home.root.is_dir():
        with contextlib.suppress(lock.HeldError, OSError):
            held = lock.take_for_a_while(str(examined.home.lock))
    try:
        yield held is not None
    finally:
        if held is not None:
            os.close(held)
