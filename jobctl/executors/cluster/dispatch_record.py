"""Books of the engine's side: workers and their free slots, packs that are out, outcomes that wait for a receipt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jobctl.domain.ports import AttemptId, Finished, Lost, Started
from jobctl.supervisor.backlog import JobLine


@dataclass(slots=True)
class ClusterWorker:
    """A worker of the cluster."""

    address: str
    host: str
    slots: int
    resources: dict[str, float]
    packs: dict[str, dict[str, float]] = field(default_factory=dict)  # and what they need besides their slot

    @property
    def free(self) -> int:
        """Slots without a pack."""
        return self.slots - len(self.packs)

    def has(self, needs: dict[str, float]) -> bool:
        """Whether so much is left of what it has besides slots."""
        return all(
            self.resources.get(name, 0.0) - sum(used.get(name, 0.0) for used in self.packs.values()) >= amount
            for name, amount in needs.items()
        )


@dataclass(slots=True)
class DispatchRecord:
    """A pack that is out."""

    key: str
    worker: str
    waiting: set[AttemptId]  # no outcome yet
    slots: dict[int, int]  # by job
    lines: dict[int, JobLine] = field(default_factory=dict)  # whose slots it holds; empty when found again
    running: dict[AttemptId, Started] = field(default_factory=dict)
    unreceipted: set[AttemptId] = field(default_factory=set)
    is_over: bool = False
    resources: dict[str, float] = field(default_factory=dict)


class WorkerTable:
    """Where there is room, the emptiest first come."""

    def __init__(self) -> None:
        self.by_address: dict[str, ClusterWorker] = {}
        self._free: dict[str, None] = {}

    @property
    def slots(self) -> int:
        """Of all of them."""
        return sum(worker.slots for worker in self.by_address.values())

    def replace(self, introductions: list[dict[str, Any]]) -> None:
        """These are all there are now."""
        self.by_address.clear()
        self._free.clear()
        for introduction in introductions:
            self.add(introduction)

    def add(self, introduction: dict[str, Any]) -> None:
        """A worker is ready; one that greets twice is the same."""
        address = introduction["worker"]
        known = self.by_address.get(address)
        worker = ClusterWorker(address, introduction["host"], introduction["slots"], introduction["resources"])
        if known is not None:
            worker.packs = known.packs
        self.by_address[address] = worker
        self._note(worker)

    def remove(self, address: str) -> ClusterWorker | None:
        """It left."""
        self._free.pop(address, None)
        return self.by_address.pop(address, None)

    def occupy(self, address: str, key: str, needs: dict[str, float]) -> None:
        """A pack takes a slot and what it needs besides, if the worker is known."""
        worker = self.by_address.get(address)
        if worker is not None:
            worker.packs[key] = needs
            self._note(worker)

    def vacate(self, address: str, key: str) -> None:
        """A pack is over."""
        worker = self.by_address.get(address)
        if worker is not None:
            worker.packs.pop(key, None)
            self._note(worker)

    def pick(self, needs: dict[str, float]) -> ClusterWorker | None:
        """A worker with a free slot and what is needed besides; they take turns."""
        for address in self._free:
            worker = self.by_address[address]
            if not needs or worker.has(needs):
                return worker
        return None

    def _note(self, worker: ClusterWorker) -> None:
        self._free.pop(worker.address, None)
        if worker.free > 0:
            self._free[worker.address] = None  # last in line


@dataclass(slots=True)
class PackOutcome:
    """An attempt that is over, kept until it is acknowledged."""

    event: Finished | Lost
    key: str
