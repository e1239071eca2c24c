"""Checks of the database: the SQLite library, the file, its write-ahead log and its copies."""

from __future__ import annotations

import os

from jobctl.domain.durations import format_span
from jobctl.domain.wording import plural, size
from jobctl.services.doctor.check_types import CheckedStore, CheckResult, fail, ok, warn
from jobctl.store import sqlite
from jobctl.store.opening import backup, folder, layout
from jobctl.store.schema import SCHEMA_VERSION
from jobctl.store.views import jobs as job_views

#: A longer write-ahead log makes reading slow, and something keeps it from being shortened.
WAL_LONG = 64 << 20
#: The check warns when the newest copy is older than this and the database has changed since.
_COPY_OLD_US = 86_400_000_000
#: Finished jobs whose rows are read, and the number of damaged ones that are named.
_ROWS_READ = 10_000
_ROWS_NAMED = 10


def library(_open_for_checks: CheckedStore) -> CheckResult:
    """Check that the SQLite library has no known bug that matters."""
    version = ".".join(map(str, sqlite.VERSION))
    name = f"SQLite {version} ({sqlite.connect.__module__.partition('.')[0].lstrip('_')})"
    if sqlite.has_wal_reset_bug():
        return warn(
            f"{name} has the WAL-reset bug; in jobctl only the engine checkpoints, in a way that avoids it",
            "install pysqlite3 where there is a wheel, or a Python with SQLite 3.51.3 or newer",
        )
    return ok(name)


def database(checked: CheckedStore) -> CheckResult:
    """Check that the database file is sound, is a database of jobctl, and has the schema of this jobctl."""
    path, file = checked.home.database, checked.file_state
    if file.kind == "missing":
        return _missing(checked)
    if file.kind == "displaced":
        return fail(
            f"removed or replaced: {file.findings[0]}",
            f"it saves its data when it stops: {checked.program} daemon stop; then {checked.program} doctor",
        )
    if file.kind == "unreadable":
        return fail(f"cannot be read now: {file.findings[0]}", "check the disk first; the file may be undamaged")
    if file.kind == "empty":
        return ok("created, but nothing was submitted yet")
    if file.kind == "ours" and backup.rescued(checked.home.root) is not None:
        return warn(
            "it was replaced under a running daemon, which saved its data",
            f"{checked.program} doctor --restore restores those data and moves this database aside",
        )
    if file.kind == "ours":
        return _damaged(checked) or ok(f"sound, schema {file.version}, {size(path.stat().st_size)}")
    if file.kind == "older":
        stop = f"; {checked.program} daemon stop first" if checked.holder is not None else ""
        return warn(
            f"has schema {file.version}, this jobctl has {SCHEMA_VERSION}",
            f"the next command brings it up to date, with a copy beforehand{stop}",
        )
    if file.kind == "newer":
        return fail(f"was written by a newer jobctl (schema {file.version}, not {SCHEMA_VERSION})", "upgrade jobctl")
    if file.kind == "unknown":
        return fail(
            layout.unknown_layout("the file", file.version, list(file.findings)),
            layout.unknown_layout_hint(checked.home.root),
            file.findings,
        )
    if file.kind == "foreign":
        return fail(f"{path} is not a database of jobctl", "move it away, or choose another --home")
    if file.kind == "planted":
        return fail(f"{path}: {file.findings[0]}", "see what it is, move it away, then try again")
    return fail(f"damaged: {file.findings[0]}", _way_back(checked), file.findings)


def _damaged(checked: CheckedStore) -> CheckResult | None:
    """The failure that names jobs whose rows cannot be read, although the file is sound; None if all can be read."""
    if checked.database is None:
        return None
    bad = [view for view in job_views.jobs(checked.database, finished=_ROWS_READ) if view.damage]
    if not bad:
        return None
    lines = tuple(f"job {view.id}: {view.damage}" for view in bad[:_ROWS_NAMED])
    live = next((view.id for view in bad if not view.is_done), None)
    way = f"{checked.program} prune {bad[0].id}" if live is None else f"{checked.program} cancel {live}"
    return fail(f"{plural(len(bad), 'row')} of jobs cannot be read: {lines[0]}", way, lines[1:])


def _missing(checked: CheckedStore) -> CheckResult:
    if backup.existing(checked.home.root):
        return fail(f"{checked.home.database} is gone, but there are copies of it", _way_back(checked))
    jobs = folder.jobs_with_files(checked.home.root)
    if jobs:
        return fail(
            f"{checked.home.database} is gone, but there are files of {plural(len(jobs), 'job')}, such as {jobs[-1]}",
            f"restore it from your own backup; the results are in {checked.home.results}",
        )
    return ok("there is no database yet")


def _way_back(checked: CheckedStore) -> str:
    return backup.repair_hint(checked.home.root).replace("jobctl doctor", f"{checked.program} doctor")


def write_ahead_log(checked: CheckedStore) -> CheckResult:
    """Check the length of the write-ahead log: it has the commits that are not in the database file yet."""
    length = _wal_bytes(checked)
    if length <= WAL_LONG:
        return ok(f"{size(length)} of commits wait to be moved into the database" if length else "empty")
    if checked.holder is None:
        return warn(
            f"{size(length)} long, and no daemon runs that could shorten it", f"{checked.program} doctor --repair"
        )
    return warn(
        f"{size(length)} long: a reader keeps the daemon from shortening it",
        "look for a stopped jobctl: ps -o pid,stat,args -C jobctl",
    )


def _wal_bytes(checked: CheckedStore) -> int:
    try:
        return os.stat(f"{checked.home.database}-wal").st_size
    except OSError:
        return 0


def checkpoint(checked: CheckedStore) -> str:
    """Move the write-ahead log into the database. The caller holds the daemon lock."""
    if checked.database is None:
        return ""
    before = _wal_bytes(checked)
    checked.database.checkpoint()
    return f"moved {size(before)} into the database"


def copies(checked: CheckedStore) -> CheckResult:
    """Check that there is a copy of the database that ``jobctl doctor --restore`` could use."""
    found = backup.existing(checked.home.root)
    if checked.database is None:
        return ok(f"{plural(len(found), 'copy', 'copies')} of the database" if found else "none yet")
    changed_at = job_views.latest_time(checked.database)
    newest = backup.newest_at(checked.home.root)
    large = checked.home.database.stat().st_size > backup.HOURLY_UP_TO
    if large and changed_at - newest > _COPY_OLD_US:
        made = f"the newest is {format_span(newest, checked.now)} old" if newest else "there is none"
        return warn(
            f"{made}: a database of more than {size(backup.HOURLY_UP_TO)} is not copied every hour",
            f"{checked.program} prune makes it smaller, or include {checked.home.root} in your own backup",
        )
    if not found:
        return ok("none yet; the daemon makes one in every hour in which something changes")
    age = format_span(newest, checked.now)
    return ok(f"{plural(len(found), 'copy', 'copies')}, the newest {age} old")
