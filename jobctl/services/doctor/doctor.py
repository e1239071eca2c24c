"""``jobctl doctor``: run every check of a store and of this machine, also if the database cannot be read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from jobctl import __version__
from jobctl.config import Home
from jobctl.errors import JobctlError
from jobctl.process import lock
from jobctl.services.daemon.view import DOWN, DaemonView, daemon_view
from jobctl.services.doctor.check_types import Check, CheckedStore, CheckResult, Level, document, fail, with_repair
from jobctl.services.doctor.checks import cluster, directory, process, store
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
    """The results by the name of the check, in the order of ``CHECKS``."""

    home: Home
    results: list[tuple[str, CheckResult]]

    @property
    def ok(self) -> bool:
        """Return whether no check fails. A warning is not a failure."""
        return all(result.level is not Level.FAIL for _, result in self.results)

    def count(self, level: str) -> int:
        """Count the checks with a result of this level."""
        return sum(result.level == level for _, result in self.results)

    def document(self) -> DoctorDocument:
        """Return ``jobctl.doctor/1``."""
        return {
            "schema": SCHEMA,
            "ok": self.ok,
            "home": str(self.home.root),
            "version": __version__,
            "checks": [document(name, result) for name, result in self.results],
        }


def examine(home: Home, *, now: int, program: str, slots: int, repair: bool = False) -> Examination:
    """Run every check; with ``repair``, also repair what is safe to repair.

    Some repairs need the daemon lock, so they are left out while a daemon runs. ``now`` is in microseconds UTC.
    """
    with _open_for_checks(home, now, program, slots) as checked:
        results = [(check.name, _examine(check, checked)) for check in CHECKS]
    if not repair or all(result.level is Level.OK for _, result in results):
        return Examination(home, results)
    with _open_for_checks(home, now, program, slots) as checked, _daemon_lock(checked) as is_locked:
        repaired = [
            (check.name, _repair(check, result, checked, is_locked=is_locked))
            for check, (_, result) in zip(CHECKS, results, strict=True)
        ]
    return Examination(home, repaired)


def _examine(check: Check, checked: CheckedStore) -> CheckResult:
    """Run one check. An error in it becomes its result, so that the other checks still run."""
    try:
        return check.examine(checked)
    except (OSError, sqlite.Error, JobctlError) as error:
        return fail(f"cannot be checked: {error}")


def _repair(check: Check, result: CheckResult, checked: CheckedStore, *, is_locked: bool) -> CheckResult:
    if result.level is Level.OK or check.repair is None:
        return result
    if check.needs_lock and not is_locked:
        return replace(result, action=result.action or "jobctl daemon stop, then repair again")
    try:
        done = check.repair(checked)
    except (OSError, sqlite.Error, JobctlError) as error:
        return replace(result, details=(*result.details, f"cannot be repaired: {error}"))
    return with_repair(_examine(check, checked), done) if done else result


@contextlib.contextmanager
def _open_for_checks(home: Home, now: int, program: str, slots: int) -> Iterator[CheckedStore]:
    found = _file_state(home)
    database: Database | None = None
    if found.is_usable:
        with contextlib.suppress(JobctlError, OSError, sqlite.Error):
            database = open_database(home)
    try:
        holder = _holder(home)
        view = _view(database, home, now, holder)
        used = view.slots if view.is_working and view.cluster is None and view.slots else slots
        yield CheckedStore(home, now, program, used, holder, found, view, database)
    finally:
        if database is not None:
            database.close()


def _file_state(home: Home) -> FileState:
    """The state of the database file. If the daemon has removed or replaced files open, the new file is not opened:
    that would make a second write-ahead log next to them."""
    found = removed.displaced(home)
    if found is None:
        return file_state(home.database)
    name, pid = found
    return FileState("displaced", findings=(f"{home.root / name}, which process {pid} of the running daemon has open",))


def _holder(home: Home) -> int | None:
    try:
        return lock.holder(str(home.lock))
    except OSError:  # the lock is not a plain file; the check of permissions reports it
        return None


def _view(database: Database | None, home: Home, now: int, holder: int | None) -> DaemonView:
    if database is not None:
        with contextlib.suppress(sqlite.Error, OSError):
            return daemon_view(database, home, now)
    return DOWN if holder is None else DaemonView("recovering", pid=holder)


@contextlib.contextmanager
def _daemon_lock(checked: CheckedStore) -> Iterator[bool]:
    """Hold the daemon lock during a repair, if it is free; yields whether this process holds it.

    This process must not open and close the lock file meanwhile, because closing any descriptor of it ends the lock.
    """
    held = None
    if checked.holder is None and checked.home.root.is_dir():
        with contextlib.suppress(lock.HeldError, OSError):
            held = lock.take_for_a_while(str(checked.home.lock))
    try:
        yield held is not None
    finally:
        if held is not None:
            lock.release(held)
