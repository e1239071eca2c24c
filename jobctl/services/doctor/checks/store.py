"""Checks of the database: the library that reads it, the file, its write-ahead log, its copies."""

from __future__ import annotations

import os

from jobctl.domain.durations import format_span
from jobctl.domain.wording import plural, size
from jobctl.services.doctor.examination import Finding, Patient, fail, ok, warn
from jobctl.store import sqlite
from jobctl.store.opening import backup, folder, layout
from jobctl.store.schema import SCHEMA_VERSION
from jobctl.store.views import jobs as job_views

#: A write-ahead log as long as this makes reading slow; whoever holds it up should be found.
WAL_LONG = 64 << 20
#: A look at the copies is worth a line when the newest is older than this although something has changed.
_COPY_OLD_US = 86_400_000_000


#: Finished jobs whose rows are read through, and those of them that are named.
_ROWS_READ = 10_000
_ROWS_NAMED = 10


def library(_patient: Patient) -> Finding:
    """The SQLite library in use."""
    version = ".".join(map(str, sqlite.VERSION))
    name = f"SQLite {version} ({sqlite.connect.__module__.partition('.')[0].lstrip('_')})"
    if sqlite.has_wal_reset_bug():
        return warn(
            f"{name} has the WAL-reset bug; jobctl lets nobody but its engine checkpoint, which keeps clear of it",
            "install pysqlite3 where there is a wheel, or a Python with SQLite 3.51.3 or newer",
        )
    return ok(name)


def database(patient: Patient) -> Finding:
    """The file, read through."""
    path, look = patient.home.database, patient.look
    if look.kind == "missing":
        return _missing(patient)
    if look.kind == "displaced":
        return fail(
            f"removed or replaced: {look.findings[0]}",
            f"it saves what it has when it stops: {patient.program} daemon stop; then {patient.program} doctor",
        )
    if look.kind == "unreadable":
        return fail(f"cannot be read now: {look.findings[0]}", "check the disk first; no damage is known")
    if look.kind == "empty":
        return ok("made, but nothing was submitted yet")
    if look.kind == "ours" and backup.rescued(patient.home.root) is not None:
        return warn(
            "it was replaced under a running daemon, which saved what it had",
            f"{patient.program} doctor --restore goes back to that and puts this one aside",
        )
    if look.kind == "ours":
        return _damaged(patient) or ok(f"sound, schema {look.version}, {size(path.stat().st_size)}")
    if look.kind == "older":
        stop = f"; {patient.program} daemon stop first" if patient.holder is not None else ""
        return warn(
            f"has schema {look.version}, this jobctl has {SCHEMA_VERSION}",
            f"the next command brings it up to date, with a copy beforehand{stop}",
        )
    if look.kind == "newer":
        return fail(f"was written by a newer jobctl (schema {look.version}, not {SCHEMA_VERSION})", "upgrade jobctl")
    if look.kind == "unknown":
        return fail(
            layout.said("the file", look.version, list(look.findings)), layout.way_out(patient.home.root), look.findings
        )
    if look.kind == "foreign":
        return fail(f"{path} is not a database of jobctl", "move it away, or choose another --home")
    if look.kind == "planted":
        return fail(f"{path}: {look.findings[0]}", "see what it is, move it away, then try again")
    return fail(f"damaged: {look.findings[0]}", _way_back(patient), look.findings)


def _damaged(patient: Patient) -> Finding | None:
    """The newest jobs whose rows cannot be read: the file is sound, but its content is not."""
    if patient.database is None:
        return None
    bad = [view for view in job_views.jobs(patient.database, finished=_ROWS_READ) if view.damage]
    if not bad:
        return None
    lines = tuple(f"job {view.id}: {view.damage}" for view in bad[:_ROWS_NAMED])
    live = next((view.id for view in bad if not view.is_done), None)
    way = f"{patient.program} prune {bad[0].id}" if live is None else f"{patient.program} cancel {live}"
    return fail(f"{plural(len(bad), 'row')} of jobs cannot be read: {lines[0]}", way, lines[1:])


def _missing(patient: Patient) -> Finding:
    if backup.existing(patient.home.root):
        return fail(f"{patient.home.database} is gone, but there are copies of it", _way_back(patient))
    jobs = folder.jobs_with_files(patient.home.root)
    if jobs:
        return fail(
            f"{patient.home.database} is gone, but there are files of {plural(len(jobs), 'job')}, such as {jobs[-1]}",
            f"restore it from your own backup; the results are in {patient.home.results}",
        )
    return ok("there is none yet")


def _way_back(patient: Patient) -> str:
    return backup.recipe(patient.home.root).replace("jobctl doctor", f"{patient.program} doctor")


def write_ahead_log(patient: Patient) -> Finding:
    """Commits that are not in the database file yet."""
    length = _wal_bytes(patient)
    if length <= WAL_LONG:
        return ok(f"{size(length)} of commits wait to be moved into the database" if length else "empty")
    if patient.holder is None:
        return warn(f"{size(length)} long, and no daemon to shorten it", f"{patient.program} doctor --repair")
    return warn(
        f"{size(length)} long: a reader keeps the daemon from shortening it",
        "look for a stopped jobctl: ps -o pid,stat,args -C jobctl",
    )


def _wal_bytes(patient: Patient) -> int:
    try:
        return os.stat(f"{patient.home.database}-wal").st_size
    except OSError:
        return 0


def checkpoint(patient: Patient) -> str:
    """Move the log into the database; only while we hold the daemon lock."""
    if patient.database is None:
        return ""
    before = _wal_bytes(patient)
    patient.database.checkpoint()
    return f"moved {size(before)} into the database"


def copies(patient: Patient) -> Finding:
    """What could be gone back to."""
    found = backup.existing(patient.home.root)
    if patient.database is None:
        return ok(f"{plural(len(found), 'copy', 'copies')} of the database" if found else "none yet")
    changed_at = job_views.changed_at(patient.database)
    newest = backup.newest_at(patient.home.root)
    large = patient.home.database.stat().st_size > backup.HOURLY_UP_TO
    if large and changed_at - newest > _COPY_OLD_US:
        made = f"the newest is {format_span(newest, patient.now)} old" if newest else "there is none"
        return warn(
            f"{made}: a database of more than {size(backup.HOURLY_UP_TO)} is not copied every hour",
            f"{patient.program} prune makes it smaller, or include {patient.home.root} in your own backup",
        )
    if not found:
        return ok("none yet; the daemon makes one every hour in which something changed")
    age = format_span(newest, patient.now)
    return ok(f"{plural(len(found), 'copy', 'copies')}, the newest {age} old")
