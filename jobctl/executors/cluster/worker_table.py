"""The workers of a cluster as the engine knows them, with the packs that occupy their slots and resources."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class ClusterWorker:
    """A worker of the cluster."""

    address: str
    host: str
    slots: int
    resources: dict[str, float]
    packs: dict[str, dict[str, float]] = field(default_factory=dict)  # by key: the resources that each pack needs

    @property
    def free(self) -> int:
        """Slots without a pack."""
        return self.slots - len(self.packs)

    def has(self, needs: dict[str, float]) -> bool:
        """True if the worker has enough free resources for these needs."""
        return all(
            self.resources.get(name, 0.0) - sum(used.get(name, 0.0) for used in self.packs.values()) >= amount
            for name, amount in needs.items()
        )


class WorkerTable:
    """All connected workers; those with free slots take turns."""

    def __init__(self) -> None:
        self.by_address: dict[str, ClusterWorker] = {}
        self._free: dict[str, None] = {}

    @property
    def slots(self) -> int:
        """The slots of all workers."""
        return sum(worker.slots for worker in self.by_address.values())

    def replace(self, introductions: list[dict[str, Any]]) -> None:
        """Replace all workers by those that introduced themselves."""
        self.by_address.clear()
        self._free.clear()
        for introduction in introductions:
            self.add(introduction)

    def add(self, introduction: dict[str, Any]) -> None:
        """Add a worker that is ready; a second greeting of the same worker keeps its packs."""
        address = introduction["worker"]
        known = self.by_address.get(address)
        worker = ClusterWorker(address, introduction["host"], introduction["slots"], introduction["resources"])
        if known is not None:
            worker.packs = known.packs
        self.by_address[address] = worker
        self._note(worker)

    def remove(self, address: str) -> ClusterWorker | None:
        """Remove a worker that left; None if it was not known."""
        self._free.pop(address, None)
        return self.by_address.pop(address, None)

    def occupy(self, address: str, key: str, needs: dict[str, float]) -> None:
        """Give a pack a slot and the resources that it needs, if the worker is known."""
        worker = self.by_address.get(address)
        if worker is not None:
            worker.packs[key] = needs
            self._note(worker)

    def vacate(self, address: str, key: str) -> None:
        """Free the slot and the resources of a pack."""
        worker = self.by_address.get(address)
        if worker is not None:
            worker.packs.pop(key, None)
            self._note(worker)

    def pick(self, needs: dict[str, float]) -> ClusterWorker | None:
        """A worker with a free slot and the needed resources, None if there is none; workers take turns."""
        for address in self._free:
            worker = self.by_address[address]
            if not needs or worker.has(needs):
                return worker
        return None

    def _note(self, worker: ClusterWorker) -> None:
        self._free.pop(worker.address, None)
        if worker.free > 0:
            self._free[worker.address] = None  # last in line
