"""``jobctl doctor --restore``: replace a damaged or missing database by its newest sound copy; keep the old file."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jobctl.config import Home
from jobctl.domain.durations import format_time
from jobctl.errors import Busy, NotFound, UsageError
from jobctl.process import durable, lock, private
from jobctl.process.daemon import busy
from jobctl.process.this_process import actor
from jobctl.store import event_ids, journal, sqlite
from jobctl.store.database import Database
from jobctl.store.opening import backup
from jobctl.store.opening.file_state import file_state
from jobctl.store.opening.folder import check_home

#: Files of the supervisor about attempts. The older database may give the same attempt numbers to other items, so
#: these files must not be read with it.
_KEPT = ("starts", "outcomes", "calls", "leaders")


if TYPE_CHECKING:
    from jobctl.domain.documents.checks import RestoredDocument


class Restored(NamedTuple):
    """The result of a restore."""

    copy: Path
    made_at: int  # microseconds UTC; everything that was accepted or recorded later is lost
    aside: Path | None  # the folder that keeps the damaged file

    def document(self) -> RestoredDocument:
        """Return ``jobctl.restored/1``."""
        aside = None if self.aside is None else str(self.aside)
        return {
            "schema": "jobctl.restored/1",
            "copy": str(self.copy),
            "made_at": format_time(self.made_at),
            "aside": aside,
        }


def restore(home: Home, now: int) -> Restored:
    """Replace the database by its newest sound copy. ``now`` is in microseconds UTC.

    Raises Busy while a daemon runs, UsageError when the database is sound, NotFound when there is no sound copy;
    nothing is changed then.
    """
    if home.root.exists():
        check_home(home)
    try:
        held = lock.take_for_a_while(str(home.lock))
    except FileNotFoundError:
        raise _no_copy(home) from None
    except lock.HeldError as other:
        raise busy(other.pid) if other.is_daemon else _locked(other.pid) from other
    try:
        return _restore(home, now)
    finally:
        lock.release(held)


def _restore(home: Home, now: int) -> Restored:
    found = file_state(home.database)
    if found.kind not in ("damaged", "missing") and backup.rescued(home.root) is None:
        raise UsageError(
            f"the database at {home.root} is not damaged, it is {found.kind}: nothing is restored",
            hint="jobctl doctor says what is wrong; to restore a copy nevertheless, move the file away first",
        )
    copy = next((path for path in reversed(backup.existing(home.root)) if _is_sound(path)), None)
    if copy is None:
        raise _no_copy(home)
    made_at = int(copy.stat().st_mtime * 1e6)
    unfinished = home.root / ".jobctl.db.restored.tmp"
    _copy(copy, unfinished)
    _continue_ids(unfinished, made_at, now)
    aside = _put_aside(home, now)
    is_latest = copy.stem.endswith(
        backup.RESCUED
    )  # its engine saved it at its end, so the files of the supervisor belong to it
    for name in () if is_latest else _KEPT:
        (home.root / name).unlink(missing_ok=True)
    unfinished.rename(home.database)
    if is_latest:  # the copy has another name from now on, so that it is restored once only
        copy = copy.rename(copy.with_stem(copy.stem.removesuffix(backup.RESCUED)))
    durable.sync(home.root)
    return Restored(copy, made_at, aside)


def _is_sound(path: Path) -> bool:
    return file_state(path).kind in ("ours", "older")


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as reader, os.fdopen(private.create(target), "wb") as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)
        writer.flush()
        os.fsync(writer.fileno())


def _continue_ids(path: Path, made_at: int, now: int) -> None:
    """Let the ids of events continue far behind those that a client may have seen in the lost database, and say so.

    The copy may have an older schema. A migration keeps the tables ``meta`` and ``journal``.
    """
    with contextlib.closing(sqlite.connect(path, isolation_level=None)) as connection:
        database = Database(connection, path)
        with database.transaction():
            event_ids.leave_out(database, event_ids.AFTER_A_RESTORE)
            reason = f"from the copy of {format_time(made_at)}; what came later is lost"
            journal.note_of_store(database, journal.RESTORED, at=now, actor=actor(), reason=reason)


def _put_aside(home: Home, now: int) -> Path | None:
    """Move the database and its log to a folder of their own, where they keep their names."""
    names = [name for name in ("jobctl.db", "jobctl.db-wal", "jobctl.db-shm") if (home.root / name).exists()]
    if not names:
        return None
    aside = home.root / f"damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now / 1e6))}"
    aside.mkdir(mode=0o700)
    for name in names:
        (home.root / name).rename(aside / name)
    return aside


def _locked(pid: int) -> Busy:
    return Busy(f"process {pid} is working on this store", hint="wait for it to end, then try again")


def _no_copy(home: Home) -> NotFound:
    return NotFound(
        f"there is no sound copy of the database in {backup.folder(home.root)}",
        hint=f"{backup.repair_hint(home.root)}",
    )
