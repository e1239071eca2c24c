"""Removing the remains of removed rows from the files of a home.

SQLite overwrites what is deleted with zeros (``secure_delete``), but a row that once moved from one page to another may
have left a copy of itself in the first: only rewriting the whole database is sure to end that. Then there are the
write-ahead log, the copies of the database, and outcomes that a supervisor kept.
"""

from __future__ import annotations

import os
import time

from jobctl.config import Home
from jobctl.errors import Busy, HomeError
from jobctl.process import lock, space
from jobctl.process.this_process import actor
from jobctl.process.wakeup import wake
from jobctl.process.watch import Watch
from jobctl.store import pruning, requests, sqlite
from jobctl.store.database import Database
from jobctl.store.opening import backup
from jobctl.supervisor.calls.kept import KeptCalls
from jobctl.supervisor.kept_outcomes import KeptOutcomes

#: A larger database is rewritten only while no daemon is up, because all other writers wait meanwhile.
REBUILD_BESIDE = 256 << 20
#: A larger database is not rewritten in memory.
REBUILD_IN_MEMORY = 64 << 20
#: How long the engine may take to empty the log: a reader may be in its way.
PATIENCE_S = 60.0
_NO_ROOM = "there is too little room on the disk to rewrite it"


class Eraser:
    """Takes away what removed rows left in the files of one home."""

    def __init__(self, database: Database, home: Home, again: str) -> None:
        """``again`` is the command that continues where this one stops."""
        self._again = again
        self._database = database
        self._home = home

    def erase(self, now: int) -> int:
        """Take everything away; returns how many bytes the database became smaller.

        Raises Busy when something is left because a daemon works, HomeError when a copy cannot be removed.
        """
        before = pruning.database_bytes(self._database)
        held = self._take()
        try:
            obstacle = self._rebuild(is_alone=held is not None)
            self._replace_copies(now)
            if held is not None:
                self._finish_alone()
        finally:
            if held is not None:
                os.close(held)
        if held is None:
            self._finish_beside()
        if obstacle:
            raise self._left(obstacle, f"make room, then: {self._again}" if obstacle == _NO_ROOM else None)
        return before - pruning.database_bytes(self._database)

    def _take(self) -> int | None:
        """Keep daemons away for now; None if one is there, or another command that does the same."""
        try:
            return lock.take_for_a_while(str(self._home.lock))
        except lock.HeldError:
            return None

    def _rebuild(self, *, is_alone: bool) -> str:
        """Rewrite the database, or free the space that can be freed; returns why it was not rewritten."""
        live = pruning.live_bytes(self._database)
        obstacle = _NO_ROOM
        if live > REBUILD_BESIDE and not is_alone:
            obstacle = "it is too large to be rewritten while a daemon is up"
        elif space.has_free(self._home.root, live) and self._is_rebuilt(live):
            return ""
        pruning.give_back(self._database, self._between)
        return obstacle

    def _is_rebuilt(self, live: int) -> bool:
        """Try it; False if the disk turns out to be full, or the limit for files too low.

        A large database needs room for a file in the folder that SQLITE_TMPDIR of the environment names.
        """
        try:
            pruning.rebuild(self._database, in_memory=live <= REBUILD_IN_MEMORY)
        except sqlite.OperationalError as error:
            if any(word in str(error) for word in ("full", "disk I/O error")):
                return False
            raise
        return True

    def _between(self) -> None:
        """Another command's turn to write."""
        time.sleep(pruning.COURTESY_S)

    def _replace_copies(self, now: int) -> None:
        try:
            backup.replace_all(self._database, now)
        except OSError as error:
            raise HomeError(
                f"cannot replace the copies of the database in {backup.folder(self._home.root)}: {error.strerror}",
                hint="fix that, then run jobctl prune again: it continues where it stopped",
            ) from error

    def _finish_alone(self) -> None:
        """Empty the log ourselves, because there is no engine that could."""
        for rest in self._home.root.glob(".*.tmp"):  # of a restoring that was killed: a whole copy
            rest.unlink(missing_ok=True)
        if not self._database.checkpoint():
            raise self._left("a reader keeps the log from being emptied", self._again)
        for name, kept in (("outcomes", KeptOutcomes), ("calls", KeptCalls)):
            path = self._home.root / name
            if path.exists():
                kept(str(path))  # wipes what nobody waits for

    def _finish_beside(self) -> None:
        """Have the engine empty the log, or do it ourselves when it goes."""
        token = requests.ask_for_checkpoint(self._database, actor(), time.time_ns() // 1000)
        wake(self._home.wake)
        try:
            self._await_engine(token)
        finally:
            requests.withdraw_checkpoint(self._database, token)

    def _await_engine(self, token: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        with Watch(self._home.root) as watch:
            while not (done := requests.is_checkpointed(self._database, token)):
                if done is None:
                    raise self._left("an older jobctl runs as the daemon and does not empty its log when it is asked")
                held = self._take()
                if held is not None:
                    try:
                        self._finish_alone()
                    finally:
                        os.close(held)
                    return
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise self._left(f"the daemon has not emptied its log within {PATIENCE_S:.0f} s")
                watch.wait(min(left_s, 1.0))

    def _left(self, why: str, hint: str | None = None) -> Busy:
        message = f"the jobs are removed, but their rows can still be read from the database: {why}"
        return Busy(message, hint=hint or f"jobctl daemon stop && {self._again}; then: jobctl daemon start")
