"""Checks of the database: the library that reads it, the file, its write-ahead log, its copies."""

from __future__ import annotations

import os

from jobctl.domain.durations import format_span
from jobctl.domain.wording import plural, size
from jobctl.services.doctor.examination import Examined, Finding, fail, ok, warn
from jobctl.store import sqlite
from jobctl.store.opening import backup, folder, layout
from jobctl.store.schema import SCHEMA_VERSION
from jobctl.store.views import jobs as job_views

#: A write-ahead log of this size makes reading slow; its cause should be found.
WAL_LONG = 64 << 20
#: A look at the copies is worth a line when the newest is older than this although something has changed.
_COPY_OLD_US = 86_400_000_000


#: Finished jobs whose rows are read through, and those of them that are named.
_ROWS_READ = 10_000
_ROWS_NAMED = 10


def library(_examined: Examined) -> Finding:
    """The SQLite library in use."""
    version = ".".join(map(str, sqlite.VERSION))
    name = f"SQLite {version} ({sqlite.connect.__module__.partition('.')[0].lstrip('_')})"
    if sqlite.has_wal_reset_bug():
        return warn(
            f"{name} has the WAL-reset bug; in jobctl only the engine checkpoints, in a way that avoids it",
            "install pysqlite3 where there is a wheel, or a Python with SQLite 3.51.3 or newer",
        )
    return ok(name)


def database(examined: Examined) -> Finding:
    """The file, read through."""
    path, look = examined.home.database, examined.look
    if look.kind == "missing":
        return _missing(examined)
    if look.kind == "displaced":
        return fail(
            f"removed or replaced: {look.findings[0]}",
            f"it saves its data when it stops: {examined.program} daemon stop; then {examined.program} doctor",
        )
    if look.kind == "unreadable":
        return fail(f"cannot be read now: {look.findings[0]}", "check the disk first; no damage is known")
    if look.kind == "empty":
        return ok("made, but nothing was submitted yet")
    if look.kind == "ours" and backup.rescued(examined.home.root) is not None:
        return warn(
            "it was replaced under a running daemon, which saved its data",
            f"{examined.program} doctor --restore goes back to that and puts this one aside",
        )
    if look.kind == "ours":
        return _damaged(examined) or ok(f"sound, schema {look.version}, {size(path.stat().st_size)}")
    if look.kind == "older":
        stop = f"; {examined.program} daemon stop first" if examined.holder is not None else ""
        return warn(
            f"has schema {look.version}, this jobctl has {SCHEMA_VERSION}",
            f"the next command brings it up to date, with a copy beforehand{stop}",
        )
    if look.kind == "newer":
        return fail(f"was written by a newer jobctl (schema {look.version}, not {SCHEMA_VERSION})", "upgrade jobctl")
    if look.kind == "unknown":
        return fail(
            layout.said("the file", look.version, list(look.findings)),
            layout.way_out(examined.home.root),
            look.findings,
        )
    if look.kind == "foreign":
        return fail(f"{path} is not a database of jobctl", "move it away, or choose another --home")
    if look.kind == "planted":
        return fail(f"{path}: {look.findings[0]}", "see what it is, move it away, then try again")
    return fail(f"damaged: {look.findings[0]}", _way_back(examined), look.findings)


def _damaged(examined: Examined) -> Finding | None:
    """The newest jobs whose rows cannot be read: the file is sound, but its content is not."""
    if examined.database is None:
        return None
    bad = [view for view in job_views.jobs(examined.database, finished=_ROWS_READ) if view.damage]
    if not bad:
        return None
    lines = tuple(f"job {view.id}: {view.damage}" for view in bad[:_ROWS_NAMED])
    live = next((view.id for view in bad if not view.is_done), None)
    way = f"{examined.program} prune {bad[0].id}" if live is None else f"{examined.program} cancel {live}"
    return fail(f"{plural(len(bad), 'row')} of jobs cannot be read: {lines[0]}", way, lines[1:])


def _missing(examined: Examined) -> Finding:
    if backup.existing(examined.home.root):
        return fail(f"{examined.home.database} is gone, but there are copies of it", _way_back(examined))
    jobs = folder.jobs_with_files(examined.home.root)
    if jobs:
        return fail(
            f"{examined.home.database} is gone, but there are files of {plural(len(jobs), 'job')}, such as {jobs[-1]}",
            f"restore it from your own backup; the results are in {examined.home.results}",
        )
    return ok("there is none yet")


def _way_back(examined: Examined) -> str:
    return backup.recipe(examined.home.root).replace("jobctl doctor", f"{examined.program} doctor")


def write_ahead_log(examined: Examined) -> Finding:
    """Commits that are not in the database file yet."""
    length = _wal_bytes(examined)
    if length <= WAL_LONG:
        return ok(f"{size(length)} of commits wait to be moved into the database" if length else "empty")
    if examined.holder is None:
        return warn(f"{size(length)} long, and no daemon to shorten it", f"{examined.program} doctor --repair")
    return warn(
        f"{size(length)} long: a reader keeps the daemon from shortening it",
        "look for a stopped jobctl: ps -o pid,stat,args -C jobctl",
    )


def _wal_bytes(examined: Examined) -> int:
    try:
        return os.stat(f"{examined.home.database}-wal").st_size
    except OSError:
        return 0


def checkpoint(examined: Examined) -> str:
    """Move the log into the database; only while we hold the daemon lock."""
    if examined.database is None:
        return ""
    before = _wal_bytes(examined)
    examined.database.checkpoint()
    return f"moved {size(before)} into the database"


def copies(examined: Examined) -> Finding:
    """What could be gone back to."""
    found = backup.existing(examined.home.root)
    if examined.database is None:
        return ok(f"{plural(len(found), 'copy', 'copies')} of the database" if found else "none yet")
    changed_at = job_views.changed_at(examined.database)
    newest = backup.newest_at(examined.home.root)
    large = examined.home.database.stat().st_size > backup.HOURLY_UP_TO
    if large and changed_at - newest > _COPY_OLD_US:
        made = f"the newest is {format_span(newest, examined.now)} old" if newest else "there is none"
        return warn(
            f"{made}: a database of more than {size(backup.HOURLY_UP_TO)} is not copied every hour",
            f"{examined.program} prune makes it smaller, or include {examined.home.root} in your own backup",
        )
    if not found:
        return ok("none yet; the daemon makes one every hour in which something changed")
    age = format_span(newest, examined.now)
    return ok(f"{plural(len(found), 'copy', 'copies')}, the newest {age} old")
