"""What the executor and the thread that speaks to Dask tell each other: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Connected(NamedTuple):
    """The connection stands."""

    fence: str  # changes when the scheduler was another one
    nonce: str  # of this connection: what is sent under another one is refused
    held: dict[str, tuple[str, list[list[int]], list[tuple[int, int]]]]  # claimed packs: worker, attempts, slots
    orphans: list[str]  # of them, those that will not come to an end: their worker has left
    workers: list[dict[str, Any]]  # introductions
    warnings: list[str]


class Disconnected(NamedTuple):
    """The connection is lost or could not be made."""

    reason: str
    is_final: bool = False  # nothing that waiting could change


class ClusterEvent(NamedTuple):
    """A worker or the fence said something."""

    message: dict[str, Any]


class PackDone(NamedTuple):
    """A pack is over: its report."""

    key: str
    data: bytes


class PackFailed(NamedTuple):
    """A pack will not come to an end. ``claimed`` = by a worker, so it may have begun."""

    key: str
    claimed: bool
    reason: str


class WorkerAnswer(NamedTuple):
    """What a worker answered to ``ask``; None if it could not."""

    tag: Any
    value: Any


Message = Connected | Disconnected | ClusterEvent | PackDone | PackFailed | WorkerAnswer


@dataclass(frozen=True, slots=True)
class PackOrder:
    """A pack to be sent."""

    key: str
    data: bytes
    worker: str
    resources: dict[str, float]
