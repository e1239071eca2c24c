"""Fills free slots: claims items in the engine's transaction, and hands them to the executor after its commit."""

from __future__ import annotations

import errno
from collections.abc import Callable

from jobctl.domain.ports import Dispatch, Executor, Finished
from jobctl.engine.attempts import claiming
from jobctl.engine.attempts.not_started import UNREADABLE, not_started
from jobctl.engine.jobs.limits import Limits
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.engine.jobs.ready_queue import ReadyQueue
from jobctl.engine.jobs.resources import Resources
from jobctl.store.database import Database


class Starter:
    """Keeps the claimed attempts until they are handed over. ``slots`` are those of the executor as it last said."""

    def __init__(
        self,
        database: Database,
        ready_queue: ReadyQueue,
        limits: Limits,
        resources: Resources,
        has_room: Callable[[int], bool],
    ) -> None:
        """``has_room`` says of a moment whether this machine has memory and disk space for more items."""
        self.slots = 0
        self.is_stopped = False  # a stop was requested: nothing new may start
        self._database = database
        self._ready_queue = ready_queue
        self._limits = limits
        self._resources = resources
        self._has_room = has_room
        self._claimed: list[Dispatch] = []
        self._refused: list[Finished] = []  # claimed, and not to be started

    def has_work(self, now: int) -> bool:
        """True if a slot is free that could be filled now."""
        return self._ready_queue.in_hand < self.slots and bool(self._plan(now))

    def _plan(self, now: int) -> list[tuple[LiveJob, int]]:
        if self.is_stopped or not self._has_room(now):
            return []
        self._ready_queue.look(self.slots, now)
        return claiming.plan(self._ready_queue, claiming.Bounds(self.slots, self._limits, self._resources), now)

    def write(self, epoch: int, now: int) -> None:
        """Claim items for the free slots, in the caller's transaction."""
        for live, limit in self._plan(now):
            claims = claiming.claim(self._database, epoch, live, limit, now)
            self._limits.take(live, len(claims.to_start))
            self._ready_queue.touch(live)
            self._refused.extend(not_started(claims.unreadable, UNREADABLE, now, errno.EBADMSG))
            if live.missing_variables:
                self._refused.extend(not_started(claims.to_start, live.missing_variables, now))
            else:
                self._claimed.extend(claims.to_start)

    def send(self, executor: Executor) -> list[Finished]:
        """Start the claimed attempts, after the commit. Returns the endings of those that must not start."""
        if self._claimed:
            executor.start(self._claimed)
        refused = self._refused
        self.forget()
        return refused

    def forget(self) -> None:
        """Forget the claimed attempts, because they are handed over or their transaction failed."""
        self._claimed, self._refused = [], []
