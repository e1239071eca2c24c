"""The daemon: as a part of other documents, and as ``jobctl daemon`` shows it."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from jobctl.domain.documents.queues import QueueDocument
from jobctl.domain.documents.values import Count, Number, Seconds, Time

DaemonStateName = Literal["up", "down", "recovering", "draining", "not_responding"]
Slots = Annotated[
    Count | None, "Items that it runs at once; null while no daemon is up, 0 while a cluster has no workers."
]


class DaemonBlock(TypedDict):
    """The daemon, as other documents show it."""

    state: DaemonStateName
    pid: Number | None
    heartbeat_at: Time | None
    slots: NotRequired[Slots]


class OfferBlock(TypedDict):
    """Workers with the same slots and resources."""

    workers: Count
    slots: Count
    resources: dict[str, float]


class ClusterBlock(TypedDict):
    """The cluster on which a daemon runs its items."""

    scheduler: str
    workers: Count
    resources: Annotated[dict[str, float], "the sum over all workers"]
    offers: list[OfferBlock]
    left: Annotated[Count, "workers that have left"]
    last_left_host: str | None
    last_left_at: Time | None
    unfit: Annotated[list[str], "the reasons why workers were refused"]
    join: Annotated[str, "the command that starts a worker"]


class MemoryBlock(TypedDict):
    """The memory of the two processes of a daemon."""

    supervisor_bytes: Count | None
    engine_bytes: Count | None


class DaemonDocument(TypedDict):
    """The daemon of a store, as ``jobctl daemon status --json`` shows it."""

    schema: Literal["jobctl.daemon/1"]
    state: DaemonStateName
    pid: Number | None
    heartbeat_at: Time | None
    slots: Slots
    uptime_s: Seconds | None
    scope: Annotated[str | None, "all, or the number of the only job that it runs"]
    pressure: Annotated[str, "the reason why no item can start now; empty if items can start"]
    version: str | None
    cluster: Annotated[ClusterBlock | None, "null when items run on this machine"]
    running: Count
    queued: Count
    jobs: Annotated[Count, "jobs that are not done"]
    home: str
    log: str
    database_bytes: Count
    output_bytes: Count
    results_bytes: Count
    log_bytes: Count
    queues: list[QueueDocument]
    rate_per_s: Annotated[Seconds | None, "items that end in a second, all jobs together"]
    memory: MemoryBlock


class LogLineBlock(TypedDict):
    """One line of the daemon's log."""

    at: str | None
    source: str | None
    message: str


class DaemonLogLineDocument(LogLineBlock):
    """One line of the daemon's log, as ``jobctl daemon logs --follow --json`` shows it."""

    schema: Literal["jobctl.daemon_log_line/1"]


class DaemonLogDocument(TypedDict):
    """The last lines of the daemon's log, as ``jobctl daemon logs --json`` shows them."""

    schema: Literal["jobctl.daemon_log/1"]
    log: str
    lines: list[LogLineBlock]


class SocketUnitBlock(TypedDict):
    """The socket file of ``jobctl daemon install --serve --json``."""

    path: str
    changed: bool
    text: NotRequired[Annotated[str, "the content of the file, with --print"]]


class UnitDocument(TypedDict):
    """The service file of ``jobctl daemon install --json``."""

    schema: Literal["jobctl.unit/1"]
    path: str
    changed: bool
    text: NotRequired[Annotated[str, "the content of the file, with --print"]]
    socket: NotRequired[SocketUnitBlock]
