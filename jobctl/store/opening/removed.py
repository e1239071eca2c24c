"""Notices that files of a database were removed or replaced while a daemon has them open.

The commits of the daemon go to files without a name. A command that opened the path would see an older state, or an
empty store, and give numbers of jobs to other jobs a second time.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from jobctl.config import Home
from jobctl.errors import StoreError
from jobctl.process import lock
from jobctl.store import sqlite
from jobctl.store.database import Database
from jobctl.store.opening import backup

SUFFIXES = ("", "-wal", "-shm")


def refuse(home: Home) -> None:
    """Raise StoreError if the files at the path are not those of the store. Call it when one of them is missing.

    A daemon may work on other files. Or an engine has saved its data in a copy, and a new store would hide that copy.
    """
    found = displaced(home)
    if found is not None:
        name, pid = found
        raise StoreError(
            f"{home.root / name} was removed or replaced under the running daemon (process {pid})",
            hint="nothing was changed; the daemon saves what it has when it stops: jobctl daemon stop; jobctl doctor",
        )
    copy = None if home.database.exists() else backup.rescued(home.root)
    if copy is not None:
        raise StoreError(
            f"the database at {home.root} was removed under a daemon, which saved what it had as {copy}",
            hint="continue with that copy: jobctl doctor --restore",
        )


def displaced(home: Home) -> tuple[str, int] | None:
    """(name of a file, process that has another one open in its place); None without such a daemon."""
    try:
        holder = lock.suspect(str(home.lock))
    except OSError:  # the lock is not a file
        return None
    for pid in _children(holder) if holder else ():
        for name, identity in _open_files(pid, home.database.name):
            if _identity(home.root / name) != identity:
                return name, pid
    return None


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except (OSError, ValueError):
        return []


def _open_files(pid: int, database: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """(name, identity) of the files of a database that a process has open, by the names they had or have."""
    names = {f"{database}{suffix}" for suffix in SUFFIXES}
    with contextlib.suppress(OSError):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                link = os.readlink(f"/proc/{pid}/fd/{fd}").removesuffix(" (deleted)")
                if os.path.basename(link) in names:
                    status = os.stat(f"/proc/{pid}/fd/{fd}")
                    yield os.path.basename(link), (status.st_dev, status.st_ino)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def rescue(database: Database, name: str, now: int) -> str:
    """Save the data that only this connection can still read; returns a sentence. For the engine alone."""
    path = database.path
    try:
        if name.endswith("-shm"):
            return "all its commits are in the files that are there"
        # An empty file in place of the log: no other process has written to it, so a checkpoint saves all commits.
        if name.endswith("-wal") and not _size(f"{path}-wal") and database.checkpoint():
            return "its commits were moved into the database"
        return f"what it had is saved as {backup.make(database, now, word=backup.RESCUED)}: jobctl doctor --restore"
    except (OSError, sqlite.Error) as error:
        return f"what it had cannot be saved: {error}"


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
