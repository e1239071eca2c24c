"""Copies the database inside its home. The engine makes copies when no command waits, and keeps the last three."""

from __future__ import annotations

import contextlib
import os
import shlex
import time
from pathlib import Path

from jobctl.process import durable, private
from jobctl.store.database import Database

KEEP = 3
#: A word in the name of a copy that was made when files of the database were removed while the engine ran.
RESCUED = "-rescued"
EVERY_US = 3_600_000_000
#: A larger database is not copied every hour, which would slow down the engine. A migration copies any database first.
HOURLY_UP_TO = 64 << 20
_STAMP = "%Y%m%dT%H%M%SZ"


def folder(root: Path) -> Path:
    """The paths of the copies."""
    return root / "backups"


def existing(root: Path) -> list[Path]:
    """The copies, oldest first."""
    return sorted(folder(root).glob("jobctl-*.db"))


def rescued(root: Path) -> Path | None:
    """The copy that an engine made when files of its database were removed; None if it made no copy."""
    return next((path for path in reversed(existing(root)) if path.stem.endswith(RESCUED)), None)


def newest_at(root: Path) -> int:
    """The time of the last copy, in microseconds UTC; 0 without a copy."""
    copies = existing(root)
    return int(copies[-1].stat().st_mtime * 1e6) if copies else 0


def is_due(database: Database, now: int) -> bool:
    """True if an hour has passed since the last copy, a job has changed since, and the database is small enough."""
    last = newest_at(database.path.parent)
    if 0 <= now - last < EVERY_US or database.path.stat().st_size > HOURLY_UP_TO:
        return False
    from jobctl.store.views.jobs import latest_time  # an engine asks once in an hour

    return latest_time(database) > last


def make(database: Database, now: int, word: str = "") -> Path:
    """Copy the database as it is now, and drop the oldest copies. Raises sqlite errors and OSError.

    An error leaves no part of a copy. ``word`` becomes part of the name. Other processes continue to read and write.
    """
    place = folder(database.path.parent)
    private.make_folder(place)
    for rest in place.glob(".*.tmp"):
        rest.unlink()
    name = f"jobctl-{time.strftime(_STAMP, time.gmtime(now / 1e6))}{word}.db"
    unfinished = place / f".{name}.tmp"
    try:
        # SQLite fills an empty file that exists; a file that it makes itself would have the mode of the umask.
        os.close(private.create(unfinished))
        database.execute("VACUUM INTO ?", (str(unfinished),))
        durable.sync(unfinished)
        unfinished.rename(place / name)
        durable.sync(place)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise
    for old in existing(database.path.parent)[:-KEEP]:
        old.unlink(missing_ok=True)
    return place / name


def replace_all(database: Database, now: int) -> int:
    """Replace all copies by one of the present database, because they hold rows that were removed since.

    A copy that an engine rescued from removed files stays, because it may be all that is left of a store. A copy that
    another process is making is removed. A database that is too large for hourly copies gets no new one.
    Raises sqlite errors and OSError.
    """
    root = database.path.parent
    old = [path for path in existing(root) if not path.stem.endswith(RESCUED)]
    if old and database.path.stat().st_size <= HOURLY_UP_TO:
        old = [path for path in old if path != make(database, now)]
    for path in (*old, *folder(root).glob(".*.tmp")):
        path.unlink(missing_ok=True)
    return len(old)


def repair_hint(root: Path) -> str:
    """The commands to type when the database is damaged: keep it, and continue with the last copy."""
    if existing(root):
        return "keep it and continue with the last backup: jobctl doctor --restore"
    keep = f"cd {shlex.quote(str(root))} && mkdir damaged && mv jobctl.db* damaged/"
    return f"keep it and start with an empty store: {keep} (there is no backup yet)"
