"""The messages between the executor and the thread that speaks to Dask: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Connected(NamedTuple):
    """The connection to the scheduler is established."""

    fence: str  # names the scheduler: another one has another name
    nonce: str  # names this connection: the fence refuses packs that were sent under another nonce
    held: dict[str, tuple[str, list[list[int]], list[tuple[int, int]]]]  # claimed packs: worker, attempts, slots
    orphans: list[str]  # those of them that will never end, because their worker has left
    workers: list[dict[str, Any]]  # the introduction of each worker
    warnings: list[str]
    lease_s: float  # a worker without contact to its scheduler for this long ends its items


class Disconnected(NamedTuple):
    """The connection is lost or could not be made."""

    reason: str
    is_final: bool = False  # waiting cannot change it


class ClusterEvent(NamedTuple):
    """A message of a worker or of the fence."""

    message: dict[str, Any]


class PackDone(NamedTuple):
    """A pack is over, and this is its report."""

    key: str
    data: bytes


class PackFailed(NamedTuple):
    """A pack will never end. ``claimed``: a worker had claimed it, so it may have begun."""

    key: str
    claimed: bool
    reason: str


class WorkerAnswer(NamedTuple):
    """A worker's answer to ``Link.ask``; ``value`` is None if it could not answer."""

    tag: Any
    value: Any


class LeasesOver(NamedTuple):
    """No item of an earlier scheduler runs any more."""


Message = LeasesOver | Connected | Disconnected | ClusterEvent | PackDone | PackFailed | WorkerAnswer


@dataclass(frozen=True, slots=True)
class PackOrder:
    """A pack that is to be sent."""

    key: str
    data: bytes
    worker: str
    resources: dict[str, float]
