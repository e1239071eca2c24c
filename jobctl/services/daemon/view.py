"""The state of the daemon, from its lock, which shows that it is alive, and from its row, which is its last report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from jobctl.config import Home
from jobctl.domain.cluster_workers import AWAY, ClusterWorkers
from jobctl.domain.durations import format_time, seconds
from jobctl.errors import NotFound
from jobctl.process import lock
from jobctl.process.process_status import process_exists, resident_bytes
from jobctl.store import clock, daemon
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import jobs as job_views

if TYPE_CHECKING:
    from jobctl.domain.documents.daemon import ClusterBlock, DaemonBlock, DaemonDocument, DaemonStateName, MemoryBlock

#: A daemon that has its lock and has not updated its row for longer than this does not respond.
SILENCE_US = 15_000_000


class DaemonView(NamedTuple):
    """The daemon as a command sees it; times in microseconds UTC."""

    state: DaemonStateName
    pid: int | None = None
    heartbeat_at: int | None = None
    started_at: int | None = None
    slots: int | None = None
    scope: str = "all"
    pressure: str = ""
    version: str | None = None
    cluster: ClusterWorkers | None = None  # if its items run on a cluster
    join: str = ""  # the command that starts a worker for it

    @property
    def is_working(self) -> bool:
        """Whether it runs items."""
        return self.state in ("up", "draining")

    @property
    def is_away(self) -> bool:
        """Whether no item starts because the scheduler of the cluster cannot be reached."""
        return self.state != "down" and self.pressure.startswith(AWAY)

    def serves(self, job: int, *, foreground: bool) -> bool:
        """Return whether it runs this job, or soon will; ``foreground`` says that the job belongs to ``jobctl run``."""
        if self.state not in ("up", "recovering"):
            return False
        return self.scope == "all" or self.scope == str(job) or foreground

    def document(self) -> DaemonBlock:
        """Return the daemon as a part of a status document."""
        return {
            "state": self.state,
            "pid": self.pid,
            "heartbeat_at": None if self.heartbeat_at is None else format_time(self.heartbeat_at),
            "slots": self.slots,
        }


DOWN = DaemonView("down")


def daemon_view(database: Database, home: Home, now: int) -> DaemonView:
    """Return the state of the daemon of a store; ``now`` is in microseconds UTC."""
    view = _view(lock.holder(str(home.lock)), daemon.load(database), clock.in_store(database, now))
    cluster = daemon.load_cluster(database) if view.started_at is not None else None
    if cluster is None:
        return view
    from jobctl.store import elsewhere

    return view._replace(cluster=cluster, join=elsewhere.worker_command(elsewhere.last_cluster(database)))


def runs_on_cluster(home: Home) -> bool:
    """Return whether the last daemon of a store ran its items on a cluster; False without a store."""
    try:
        database = open_database(home)
    except NotFound:
        return False
    try:
        return daemon.load_cluster(database) is not None
    finally:
        database.close()


def _view(holder: int | None, row: daemon.Heartbeat | None, now: int) -> DaemonView:
    if holder is None:
        return DOWN if row is None else DaemonView("down", heartbeat_at=row.heartbeat_at)
    # The row of an earlier daemon says nothing about the process that holds the lock now (0: the system hides its id).
    if row is None or holder not in (0, row.pid):
        return DaemonView("recovering", pid=holder or None)
    return DaemonView(
        state=_state(row, now, holder),
        pid=row.pid,
        heartbeat_at=row.heartbeat_at,
        started_at=row.started_at,
        slots=row.slots,
        scope=row.scope,
        pressure=row.pressure,
        version=row.version,
    )


def _state(row: daemon.Heartbeat, now: int, holder: int) -> DaemonStateName:
    if row.engine_pid and holder and not process_exists(row.engine_pid):
        return "recovering"  # the supervisor has the running items, and it starts the next engine
    if row.engine_pid and now - row.heartbeat_at > SILENCE_US:
        return "not_responding"
    return cast("DaemonStateName", row.state)


SCHEMA: Final = "jobctl.daemon/1"


def daemon_document(database: Database, home: Home, now: int) -> DaemonDocument:
    """Return ``jobctl.daemon/1``: the daemon and its load at this moment; ``now`` is in microseconds UTC."""
    from jobctl.services.control.queues import queue_documents  # only the status of the daemon shows queues

    with database.snapshot():
        now = clock.in_store(database, now)
        view = daemon_view(database, home, now)
        load = job_views.load(database)
        queues = queue_documents(database)
        rate = job_views.total_rate(database)
        row = daemon.load(database)
    is_known = view.started_at is not None
    running = min(load.running, view.slots) if is_known and view.slots is not None else 0
    engine = row.engine_pid if is_known and row is not None else None
    return _document(view, home, load) | {
        "queues": queues,
        "rate_per_s": float(f"{rate:.3g}") if rate is not None and view.is_working else None,
        "memory": _memory(view.pid, engine),
        "uptime_s": seconds(max(0, now - view.started_at)) if view.started_at is not None else None,
        "running": running,
        "queued": load.queued + load.running - running,
    }


def daemon_document_of(home: Home, now: int) -> DaemonDocument:
    """Return ``jobctl.daemon/1`` for a home, which may not have a store yet."""
    try:
        database = open_database(home)
    except NotFound:
        return down_document(home)
    try:
        return daemon_document(database, home, now)
    finally:
        database.close()


def down_document(home: Home) -> DaemonDocument:
    """Return ``jobctl.daemon/1`` for a home without a store."""
    return _document(DOWN, home, job_views.Load(0, 0, 0))


def _document(view: DaemonView, home: Home, load: job_views.Load) -> DaemonDocument:
    return {
        "schema": SCHEMA,
        **view.document(),
        "slots": view.slots,
        "uptime_s": None,
        "scope": view.scope if view.started_at is not None else None,
        "pressure": view.pressure,
        "version": view.version,
        "cluster": None if view.cluster is None else _cluster(view.cluster, view.join),
        "running": 0,
        "queued": load.queued,
        "jobs": load.jobs,
        "home": str(home.root),
        "log": str(home.daemon_log),
        "database_bytes": _size(home),
        "output_bytes": _tree_size(home.logs),
        "results_bytes": _tree_size(home.results),
        "log_bytes": _file_size(home.daemon_log),
        "queues": [],
        "rate_per_s": None,
        "memory": _memory(None, None),
    }


def _cluster(cluster: ClusterWorkers, join: str) -> ClusterBlock:
    return {
        "scheduler": cluster.place,
        "workers": cluster.workers,
        "resources": dict(cluster.total),
        "offers": [{"workers": n, "slots": slots, "resources": dict(has)} for n, slots, has in cluster.offers],
        "left": cluster.left,
        "last_left_host": cluster.last_host or None,
        "last_left_at": format_time(cluster.last_left_at) if cluster.left else None,
        "unfit": list(cluster.unfit),
        "join": join,
    }


def _memory(supervisor: int | None, engine: int | None) -> MemoryBlock:
    return {
        "supervisor_bytes": None if supervisor is None else resident_bytes(supervisor),
        "engine_bytes": None if engine is None else resident_bytes(engine),
    }


def _size(home: Home) -> int:
    """The size of the database in bytes, from the directory: closing one of its files would end the locks of SQLite."""
    names = {home.database.name, f"{home.database.name}-wal"}
    try:
        with os.scandir(home.root) as found:
            return sum(entry.stat().st_size for entry in found if entry.name in names)
    except OSError:
        return 0


def _tree_size(root: Path) -> int:
    """The size in bytes of all files below a folder. They are few, because items share files."""
    return sum(_file_size(Path(folder, name)) for folder, _, names in os.walk(root) for name in names)


def _file_size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:  # it does not exist, or was removed meanwhile
        return 0
