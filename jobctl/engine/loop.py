"""The loop of the engine: named phases over one database and one executor.

Collect outcomes, settle, handle requests, stop what must stop, claim into free slots, commit, start, close rounds,
housekeeping. The loop waits only for an outcome, a wake-up or a deadline. All writes between two waits are in one
transaction (``writing``), whose commit survives a power cut. Only after the commit is anything started, ended or
acknowledged.
"""

from __future__ import annotations

import gc
import os
import selectors
from collections.abc import Iterable

from jobctl.config import Home
from jobctl.domain.endings import Ending
from jobctl.domain.ports import AttemptId, Capacity, Event, Executor
from jobctl.engine import remaining_work, stopping
from jobctl.engine.attempts import recovery
from jobctl.engine.clock import ClockAlarm
from jobctl.engine.errors import Unwritten
from jobctl.engine.housekeeping import HEARTBEAT_US
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.engine.options import EngineOptions
from jobctl.engine.parts import assemble
from jobctl.engine.writing import Writer
from jobctl.process import moment
from jobctl.process.own_log import say
from jobctl.process.wakeup import WakeUp
from jobctl.store import clock, daemon, downtime, undone
from jobctl.store.database import UNWRITABLE, Database

#: Another daemon could take the lock of the file that is there now.
_LOST_LOCK = "the lock file was removed or replaced: running items finish, nothing new starts, and this daemon ends"


class Engine:
    """Owns the database of a store for as long as it lives."""

    def __init__(
        self, database: Database, executor: Executor, home: Home, options: EngineOptions, wake: WakeUp, now: int
    ) -> None:
        self._options = options
        self._parts = parts = assemble(database, executor, home, options, wake, now)
        self._writer = Writer(parts, self._take, options.scope)
        self._capacity: Capacity | None = None  # the latest from the executor
        self._state = "recovering"
        self._stopping = 0  # 1 = let running items finish, 2 = end them
        self._looked_at = now  # everything that was due by then was looked at

    # ---- life ----

    def begin(self, now: int, *, fresh: bool) -> None:
        """Take over the store: begin an epoch, adopt or give back running attempts, beat once. Raises Elsewhere."""
        parts, writer = self._parts, self._writer
        self._looked_at = now
        with parts.database.transaction():
            parts.clock.follow(now)
            clock.bound(parts.database, now)
            if fresh:
                downtime.begin(parts.database)
        parts.clock.note_commit(now)
        parts.housekeeping.do_due_work(now, self._state, "")
        recovered = recovery.recover(parts.database, parts.executor, now, self._options.cluster, fresh=fresh)
        writer.epoch = recovered.epoch
        parts.executor.resize(self._options.most_slots)
        with parts.database.transaction():
            daemon.save_environment(parts.database, os.getpid(), os.environ)
            writer.refresh(now)
            parts.notifier.recover(now)
        self._take_over(recovered, now)
        self._state = "up"
        writer.step(now)
        self._take_back_paused()
        writer.close_rounds(now)  # the previous engine may have died after the last item of a round
        parts.housekeeping.do_due_work(now, self._state, "")

    def _take_over(self, recovered: recovery.Recovered, now: int) -> None:
        """Take in the outcomes that the previous engine did not settle."""
        executor = self._parts.executor
        for finished in recovered.interrupted.values():
            self._take(finished, now)
        executor.acknowledge(recovered.gone)
        # The answer to ``adopt`` has the outcomes from before this engine. No descriptor announces them again.
        self._take(executor.collect(0), now)

    def run(self) -> None:
        """Run until a stop is requested or, in drain mode, nothing is left. Raises Unwritten, StoreGone, Fenced."""
        gc.freeze()  # the objects of now stay for good, so the collector need not examine them each time
        parts = self._parts
        alarm = ClockAlarm()
        selector = selectors.DefaultSelector()
        for fd in (parts.executor.fileno(), parts.wake.fileno(), alarm.fileno()):
            if fd is not None:
                selector.register(fd, selectors.EVENT_READ)
        # The timeout is for the moment of the last tick. Work that became due since then ends the wait at once.
        while not self.is_over(self._looked_at):
            # If the wall clock is set before or during the wait, a moment says nothing about the length of the wait.
            selector.select(min(self._timeout_s(moment.now()), HEARTBEAT_US / 1e6))
            parts.wake.drain()
            alarm.drain()
            now = moment.now()
            self.follow_clock(now)
            self.tick(int(now))
            if self._writer.stays_unwritten:
                raise Unwritten(parts.trouble.reason)
        parts.housekeeping.check_files()  # otherwise the last heartbeat could go to a removed file

    def tick(self, now: int) -> None:
        """One round of all phases; ``now`` in microseconds UTC."""
        parts, writer = self._parts, self._writer
        self._looked_at = now
        self._take(parts.executor.collect(0), now)
        self._look_for_stop()
        parts.ready_queue.look(parts.starter.slots, now)
        is_written = not parts.trouble.is_pausing(now) and self._is_time_to_write(now) and writer.step(now)
        self._take_back_paused()
        if is_written:
            parts.ready_queue.forget_changed(keep=_is_unfinished)
        # The end of a round can let other jobs start. That is work for the next step.
        if not parts.trouble.is_pausing(now):
            writer.close_rounds(now)
        if parts.stops.wants_checkpoint:
            parts.stops.wants_checkpoint = not parts.housekeeping.empty_log()
        trouble = parts.trouble.reason or parts.ready_queue.unwritten() or parts.outcomes.pressure
        parts.housekeeping.do_due_work(now, self._state, trouble or parts.housekeeping.shortage(now))

    def follow_clock(self, now: int) -> None:
        """If the wall clock was set, move all times, so that no wait for a duration becomes longer or shorter."""
        parts = self._parts
        if parts.clock.is_followed(now):
            return
        try:
            with parts.database.transaction():
                parts.clock.follow(now)
        except UNWRITABLE as error:
            self._writer.start_over(error, now)
            return
        jump = parts.clock.jump(now)
        parts.clock.note_commit(now)
        self._looked_at = now
        for part in (parts.trouble, parts.housekeeping, parts.outcomes, parts.limits):
            part.shift(jump)
        for live in parts.live_jobs:
            live.pace.shift(jump)
        self._writer.rebuild()

    def is_over(self, now: int) -> bool:
        """True if this engine has nothing left to do."""
        parts, scope = self._parts, self._options.scope
        parts.ready_queue.look(parts.starter.slots, now)
        if parts.outcomes.batches or parts.ready_queue.in_hand or parts.closer.is_busy:
            return False
        if self._stopping:
            return self._stopping == 2 or not parts.notifier.is_sending()
        if scope is not None:
            if not remaining_work.is_served(parts.live_jobs, scope):
                return False
            return not any(
                parts.notifier.is_busy(now, job) for job in (scope, *undone.undo_jobs(parts.database, scope))
            )
        if not self._options.drain or any(remaining_work.has_future(parts.live_jobs, each) for each in parts.live_jobs):
            return False
        return not parts.notifier.is_busy(now)

    # ---- collect ----

    def _take(self, events: Iterable[Event], now: int) -> None:
        """Take in events of the executor, and acknowledge at once those that concern no attempt in hand."""
        parts = self._parts
        unknown = parts.outcomes.take(events, parts.live_jobs, now)
        if any(unknown):
            parts.executor.acknowledge(*unknown)
        for job in parts.outcomes.batches:
            if (live := parts.live_jobs.get(job)) is not None:
                parts.live_jobs.touch(live)
        capacity = parts.outcomes.capacity
        if capacity is not None and capacity is not self._capacity:
            self._resize(capacity)

    def _resize(self, capacity: Capacity) -> None:
        parts = self._parts
        self._capacity = capacity
        parts.starter.slots = parts.housekeeping.slots = capacity.slots
        parts.housekeeping.cluster = capacity.cluster
        if capacity.cluster is not None:
            parts.resources.update(capacity.cluster.offers)
        parts.live_jobs.look_ahead(capacity.ahead_s)
        parts.live_jobs.fit_to_resources()

    def _look_for_stop(self) -> None:
        parts = self._parts
        self._obey_stop(parts.executor.stop_requested())
        if not self._stopping and parts.housekeeping.has_lost_lock():
            say(_LOST_LOCK)
            self._obey_stop(1)

    def _obey_stop(self, requested: int) -> None:
        """Begin nothing new, and end running items if the stop says so. A second stop can only make it quicker."""
        if requested <= self._stopping:
            return
        parts = self._parts
        self._stopping = requested
        self._state = "draining"
        parts.starter.is_stopped = True
        parts.trouble.try_now()
        parts.notifier.stop()
        parts.executor.recall()
        if requested == 2:
            for live in parts.live_jobs:
                attempts = [AttemptId(live.id, *key) for key in live.in_hand]
                parts.executor.cancel(attempts, live.row.policy.grace_s, Ending.INTERRUPTED)

    def _take_back_paused(self) -> None:
        parts = self._parts
        for live in parts.ready_queue.changed.values():
            is_paused = parts.limits.is_paused(live) or bool(live.waits_for)
            stopping.take_back(parts.executor, live, paused=is_paused)

    # ---- decide when ----

    def _is_time_to_write(self, now: int) -> bool:
        parts = self._parts
        return (
            parts.outcomes.is_due(now)
            or (parts.ready_queue.in_hand == 0 and bool(parts.outcomes.count))  # no further outcome will come
            or parts.starter.has_work(now)
            or parts.live_jobs.is_stale()
            or parts.notifier.is_due(now)
            or any(stopping.needs_commit(live, now) for live in parts.ready_queue.changed.values())
        )

    def _timeout_s(self, now: int) -> float:
        parts = self._parts
        if parts.trouble.is_pausing(now):
            return parts.trouble.left_us(now) / 1e6
        if any(stopping.has_rows_left(live) for live in parts.ready_queue.changed.values()):
            return 0.0
        deadlines = (
            parts.housekeeping.next_beat_at(),
            parts.outcomes.due_at(),
            parts.notifier.due_at(),
            parts.ready_queue.next_at(),
        )
        return max(0.0, (min(at for at in deadlines if at is not None) - now) / 1e6)


def _is_unfinished(live: LiveJob) -> bool:
    """True if a step left something to do for the next one: more rows, a round to close."""
    return stopping.has_rows_left(live) or live.is_over
