"""What is told of the workers: who is there, how many have left, who is not fit."""

from __future__ import annotations

import time
from typing import Any

from jobctl.domain.crew import Crew, offers_of
from jobctl.executors.cluster import worker_plugin
from jobctl.executors.cluster.dispatch_record import ClusterWorker, WorkerTable


class WorkersSeen:
    """Kept by the executor beside its ``WorkerTable``; ``place`` says which cluster they are of."""

    def __init__(self, place: str, workers: WorkerTable) -> None:
        self._place = place
        self._workers = workers
        self._left = 0
        self._last: tuple[str, int] = ("", 0)
        self._unfit: dict[str, str] = {}

    def objection(self, introduction: dict[str, Any]) -> str:
        """Why a worker cannot be used, in words; empty when it can. It is kept until the worker leaves."""
        ours, theirs = worker_plugin.versions(), introduction["versions"]
        if theirs == ours:
            return ""
        wrong = ", ".join(f"{name} {theirs.get(name)}" for name in ours if theirs.get(name) != ours[name])
        right = ", ".join(f"{name} {ours[name]}" for name in ours if theirs.get(name) != ours[name])
        words = f"a worker on {introduction['host']} has {wrong}, we {right}"
        self._unfit[introduction["worker"]] = words
        return words

    def note_left(self, address: str, worker: ClusterWorker | None) -> None:
        """A worker has gone; ``worker`` if it was one of ours."""
        self._unfit.pop(address, None)
        if worker is not None:
            self._left += 1
            self._last = (worker.host, time.time_ns() // 1000)

    def crew(self) -> Crew:
        """As others see it."""
        offers = offers_of((worker.slots, worker.resources) for worker in self._workers.by_address.values())
        unfit = tuple(sorted(set(self._unfit.values())))
        return Crew(self._place, offers, self._left, *self._last, unfit)
