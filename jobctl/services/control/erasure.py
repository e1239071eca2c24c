"""Erase the remains of removed rows from all files of a home.

SQLite overwrites deleted rows with zeros (``secure_delete``), but a row that once moved from one page to another may
have left a copy of itself on the first one. Only rewriting the whole database is sure to remove such copies. The
write-ahead log, the copies of the database, and the outcomes that a supervisor kept may have the rows as well.
"""

from __future__ import annotations

import time

from jobctl.config import Home
from jobctl.errors import Busy, HomeError
from jobctl.process import lock, space
from jobctl.process.this_process import actor
from jobctl.process.wakeup import wake
from jobctl.process.watch import Watch
from jobctl.services.daemon.watched_wait import LOOK_EVERY_S, Look
from jobctl.store import pruning, requests, sqlite
from jobctl.store.database import Database
from jobctl.store.opening import backup
from jobctl.supervisor.calls.kept_calls import KeptCalls
from jobctl.supervisor.kept_outcomes import KeptOutcomes

#: A larger database is rewritten only while no daemon is running, because all other writers wait meanwhile.
REBUILD_WITH_DAEMON = 256 << 20
#: A larger database is not rewritten in memory.
REBUILD_IN_MEMORY = 64 << 20
#: Seconds that the engine may take to empty the write-ahead log: a reader may prevent it.
PATIENCE_S = 60.0
_NO_ROOM = "there is too little room on the disk to rewrite it"


class Eraser:
    """Erases the remains of removed rows from the files of one home."""

    def __init__(self, database: Database, home: Home, continue_command: str, look: Look = lambda: None) -> None:
        """``continue_command`` is the command that continues where this one stops; errors name it.

        ``look`` is called from time to time.
        """
        self._look = look
        self._continue_command = continue_command
        self._database = database
        self._home = home

    def erase(self, now: int) -> int:
        """Erase everything; returns the number of bytes by which the database became smaller.

        ``now`` is in microseconds UTC. Raises Busy if remains cannot be erased now, HomeError if a copy of the database
        cannot be replaced.
        """
        before = pruning.database_bytes(self._database)
        descriptor = self._take_lock()
        try:
            obstacle = self._rebuild(is_alone=descriptor is not None)
            self._replace_copies(now)
            if descriptor is not None:
                self._finish_without_engine()
        finally:
            if descriptor is not None:
                lock.release(descriptor)
        if descriptor is None:
            self._finish_with_engine()
        if obstacle:
            hint = f"make room, then: {self._continue_command}" if obstacle == _NO_ROOM else None
            raise self._incomplete(obstacle, hint)
        return before - pruning.database_bytes(self._database)

    def _take_lock(self) -> int | None:
        """Take the daemon lock, so that no daemon starts; None if a daemon or another command has it."""
        try:
            return lock.take_for_a_while(str(self._home.lock))
        except lock.HeldError:
            return None

    def _rebuild(self, *, is_alone: bool) -> str:
        """Rewrite the database, or only give unused pages back; returns the reason why it was not rewritten, or ''."""
        live = pruning.live_bytes(self._database)
        obstacle = _NO_ROOM
        if live > REBUILD_WITH_DAEMON and not is_alone:
            obstacle = "it is too large to be rewritten while a daemon is running"
        elif space.has_free(self._home.root, live) and self._try_rebuild(live):
            return ""
        pruning.give_back(self._database, self._let_others_write)
        return obstacle

    def _try_rebuild(self, live: int) -> bool:
        """Try to rewrite it; False if the disk is full, or the limit for the size of files too low.

        A large database needs room for a file in the folder that SQLITE_TMPDIR of the environment names.
        """
        try:
            pruning.rebuild(self._database, in_memory=live <= REBUILD_IN_MEMORY)
        except sqlite.OperationalError as error:
            if any(word in str(error) for word in ("full", "disk I/O error")):
                return False
            raise
        return True

    def _let_others_write(self) -> None:
        """Pause between two transactions, so that another command can write."""
        self._look()
        time.sleep(pruning.COURTESY_S)

    def _replace_copies(self, now: int) -> None:
        try:
            backup.replace_all(self._database, now)
        except OSError as error:
            raise HomeError(
                f"cannot replace the copies of the database in {backup.folder(self._home.root)}: {error.strerror}",
                hint="fix that, then run jobctl prune again: it continues where it stopped",
            ) from error

    def _finish_without_engine(self) -> None:
        """Empty the write-ahead log in this process, because no engine is running."""
        for rest in self._home.root.glob(".*.tmp"):  # a restore that was killed left a whole copy
            rest.unlink(missing_ok=True)
        if not self._database.checkpoint():
            raise self._incomplete("a reader keeps the log from being emptied", self._continue_command)
        for name, kept in (("outcomes", KeptOutcomes), ("calls", KeptCalls)):
            path = self._home.root / name
            if path.exists():
                kept(str(path))  # opening it wipes the outcomes that no engine will read

    def _finish_with_engine(self) -> None:
        """Have the engine empty the write-ahead log, or do it in this process if the engine ends."""
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
                    raise self._incomplete("the daemon is an older jobctl, which does not empty its log on request")
                descriptor = self._take_lock()
                if descriptor is not None:
                    try:
                        self._finish_without_engine()
                    finally:
                        lock.release(descriptor)
                    return
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise self._incomplete(f"the daemon has not emptied its log within {PATIENCE_S:.0f} s")
                self._look()
                watch.wait(min(left_s, LOOK_EVERY_S))

    def _incomplete(self, why: str, hint: str | None = None) -> Busy:
        message = f"the jobs are removed, but their rows can still be read from the database: {why}"
        return Busy(message, hint=hint or f"jobctl daemon stop && {self._continue_command}; then: jobctl daemon start")
