"""Does the housekeeping of the engine: heartbeat, room on the disk, and the only checkpoints of the database."""

from __future__ import annotations

import os

from jobctl import __version__
from jobctl.config import Home
from jobctl.domain.cluster_workers import ClusterWorkers
from jobctl.engine.attempts.disks import Disks
from jobctl.engine.backups import Backups
from jobctl.engine.errors import Replaced, StoreGone
from jobctl.process import space
from jobctl.store import daemon, requests, sqlite
from jobctl.store.database import UNWRITABLE, Database

HEARTBEAT_US = 5_000_000
#: The write-ahead log is moved into the database when it has grown to this size.
CHECKPOINT_BYTES = 4 << 20
#: The time between two checks of the room on the disk.
SPACE_US = 1_000_000


class Housekeeping:
    """Writes heartbeats, and keeps the write-ahead log small."""

    def __init__(self, database: Database, scope: int | None, slots: int, started_at: int) -> None:
        self._database = database
        self._log = f"{database.path}-wal"
        self._output_places = Home(database.path.parent).output_places
        self._scope = "all" if scope is None else str(scope)
        self.slots = slots
        self.cluster: ClusterWorkers | None = None  # if there is one
        self._started_at = started_at
        self._last_beat: tuple[object, ...] = ()
        self.beat_at = 0
        self._backups = Backups(database, started_at)
        self._shortage = ""
        self.disks = Disks(Home(database.path.parent))
        self._looked_at = 0
        self._root = os.stat(database.path.parent)
        self._lock = os.path.join(database.path.parent, "daemon.lock")
        self._lock_identity = os.environ.get("JOBCTL_LOCK", "")
        database.watch_files()

    def do_due_work(self, now: int, state: str, pressure: str) -> None:
        """Write a heartbeat if it is due or something changed; checkpoint if the log has grown. Raises StoreGone."""
        if self._last_beat != (state, pressure, self.slots, self.cluster) or not 0 <= now - self.beat_at < HEARTBEAT_US:
            self._beat(now, state, pressure)
        if self._log_bytes() > CHECKPOINT_BYTES:
            self._checkpoint()
        self._backups.make_if_due(now)

    def empty_log(self) -> bool:
        """Move the whole write-ahead log into the database, for the requests that ask for it. False = try again."""
        try:
            asked = requests.checkpoints(self._database)
            if asked and self._database.checkpoint():
                requests.checkpointed(self._database, asked)
                return True
        except UNWRITABLE:  # a full disk, for example: the next tick tries again
            return False
        return not asked

    def shortage(self, now: int) -> str:
        """The reason why nothing new may start: the disk lacks room for outputs and the database. Empty if not."""
        if not 0 <= now - self._looked_at < SPACE_US:
            self._looked_at = now
            found = space.shortage(*self._output_places)
            if found:
                self.disks.look(now)
            self._shortage = f"{space.PAUSED}: {found}" if found else ""
        return self._shortage

    def shift(self, by: int) -> None:
        """The wall clock was set by this many microseconds; the next heartbeat says so at once."""
        self.beat_at = 0
        self._looked_at += by
        self._started_at += by
        self._backups.shift(by)

    def next_beat_at(self) -> int:
        """The time of the next heartbeat."""
        return self.beat_at + HEARTBEAT_US

    def _beat(self, now: int, state: str, pressure: str) -> None:
        self.check_files()
        self.beat_at, self._last_beat = now, (state, pressure, self.slots, self.cluster)
        row = daemon.Heartbeat(
            pid=os.getppid(),
            engine_pid=os.getpid(),
            state=state,
            scope=self._scope,
            slots=self.slots,
            version=__version__,
            started_at=self._started_at,
            heartbeat_at=now,
            pressure=pressure,
        )
        try:
            daemon.save(self._database, row, self.cluster)
        except UNWRITABLE:
            # A full disk must not end the daemon. The next important transaction reports it.
            self._last_beat = ()

    def check_files(self) -> None:
        """Raise StoreGone if the store no longer exists, Replaced if files of it were removed or replaced."""
        name = self._database.displaced()
        if name:
            raise Replaced(name) if self._is_root_there() else StoreGone

    def _is_root_there(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._database.path.parent), self._root)
        except OSError:
            return False

    def has_lost_lock(self) -> bool:
        """True if another file has replaced the lock file that our supervisor holds."""
        if not self._lock_identity:
            return False
        try:
            status = os.stat(self._lock)
        except OSError:
            return True
        return f"{status.st_dev} {status.st_ino}" != self._lock_identity

    def _log_bytes(self) -> int:
        try:
            return os.stat(self._log).st_size
        except FileNotFoundError:
            return 0

    def _checkpoint(self) -> None:
        try:
            self._database.checkpoint()
        except sqlite.OperationalError:
            # A reader or a full disk prevents it. The next heartbeat tries again.
            return
