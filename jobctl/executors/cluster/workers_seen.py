"""Keeps the workers of a cluster for the status: those that are connected, have left, or are unfit."""

from __future__ import annotations

import time
from typing import Any

from jobctl.domain.cluster_workers import ClusterWorkers, offers_of
from jobctl.executors.cluster.versions import versions
from jobctl.executors.cluster.worker_table import ClusterWorker, WorkerTable


class WorkersSeen:
    """The history of the workers in a ``WorkerTable``; ``place`` names their cluster."""

    def __init__(self, place: str, workers: WorkerTable) -> None:
        self._place = place
        self._workers = workers
        self._left = 0
        self._last: tuple[str, int] = ("", 0)
        self._unfit: dict[str, str] = {}

    def objection(self, introduction: dict[str, Any]) -> str:
        """The reason why a worker cannot be used; empty if it can be used. It is kept until the worker leaves."""
        ours, theirs = versions(), introduction["versions"]
        if theirs == ours:
            return ""
        wrong = ", ".join(f"{name} {theirs.get(name)}" for name in ours if theirs.get(name) != ours[name])
        right = ", ".join(f"{name} {ours[name]}" for name in ours if theirs.get(name) != ours[name])
        words = f"a worker on {introduction['host']} has {wrong} instead of {right}"
        self._unfit[introduction["worker"]] = words
        return words

    def note_left(self, address: str, worker: ClusterWorker | None) -> None:
        """A worker has left; ``worker`` is None if it was not in use."""
        self._unfit.pop(address, None)
        if worker is not None:
            self._left += 1
            self._last = (worker.host, time.time_ns() // 1000)

    def cluster(self) -> ClusterWorkers:
        """The workers as commands show them."""
        offers = offers_of((worker.slots, worker.resources) for worker in self._workers.by_address.values())
        unfit = tuple(sorted(set(self._unfit.values())))
        return ClusterWorkers(self._place, offers, self._left, *self._last, unfit)
