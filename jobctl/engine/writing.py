"""Makes the writes of the engine: one transaction between two waits, and one for the end of each round.

Nothing is started, ended or acknowledged before the commit. After a failed transaction, the engine reads its copy
in memory from the database again.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Mapping

from jobctl.domain.ports import Event
from jobctl.domain.wording import UNWRITABLE_STORE, UNWRITTEN_RESULTS
from jobctl.engine.attempts import recovery
from jobctl.engine.attempts.batch import Batch
from jobctl.engine.attempts.settling import Settler
from jobctl.engine.clock import ClockSet
from jobctl.engine.errors import Fenced, Limited, Unsettled
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.engine.parts import Parts
from jobctl.engine.rounds import closing
from jobctl.engine.write_trouble import PAUSE_US
from jobctl.store import downtime, meta, sqlite
from jobctl.store.database import UNWRITABLE
from jobctl.store.items import StaleAttempts
from jobctl.store.opening.trouble import file_limit
from jobctl.store.undone import RowsChanged


class Writer:
    """Commits the decisions of the engine, in the epoch that it has begun."""

    def __init__(self, parts: Parts, take: Callable[[Iterable[Event], int], None], scope: int | None) -> None:
        """``take`` takes in outcomes of attempts that never reached the executor."""
        self._parts = parts
        self._take = take
        self._scope = scope
        self.epoch = 0
        self._has_taken_over = False  # the outcomes that the previous engine left are settled
        self.stays_unwritten = False  # a stop was requested, and only a commit that fails remains

    def step(self, now: int) -> bool:
        """Change all rows in one transaction, then act on its commit; False if it failed."""
        parts = self._parts
        try:
            with parts.clock.transaction():
                self._write(now)
        except ClockSet:
            parts.wake.ring()  # this round has written nothing; the next one follows the clock
            return False
        except UNWRITABLE as error:
            self.start_over(error, now)
            return False
        except Unsettled as unsettled:
            self._repair(unsettled)
            return False
        parts.trouble.end()
        self._has_taken_over = True
        parts.executor.acknowledge(*parts.outcomes.settled())
        parts.outcomes.clear(now)
        self._take(parts.starter.send(parts.executor), now)
        parts.stops.send()
        parts.notifier.send()
        return True

    def _write(self, now: int) -> None:
        parts = self._parts
        if meta.epoch(parts.database) != self.epoch:
            raise Fenced
        parts.housekeeping.check_files()
        if parts.live_jobs.is_stale():
            self.refresh(now)
        for job, batch in parts.outcomes.batches.items():
            live = parts.live_jobs.get(job)
            if live is not None:
                parts.live_jobs.count(live, self._settle(live, batch, now), now)
        if not self._has_taken_over:
            recovery.remember_executor(parts.database, parts.executor)
            downtime.end(parts.database, now, self._scope)
        parts.live_jobs.look_up_secrets(parts.ready_queue.changed.values(), now)
        parts.stops.write(self.epoch, now)
        parts.starter.write(self.epoch, now)
        parts.live_jobs.write_states(parts.ready_queue.changed.values(), now)
        parts.notifier.write(now)

    def _settle(self, live: LiveJob, batch: Batch, now: int) -> Mapping[str, int]:
        parts = self._parts
        try:
            return Settler(parts.database, self.epoch, live, now, parts.housekeeping.disks).settle(batch)
        except (StaleAttempts, *UNWRITABLE):
            raise
        except Exception as error:
            if type(error) is sqlite.DatabaseError or parts.outcomes.is_repaired(live.id):
                raise
            raise Unsettled(live.id) from error

    def _repair(self, unsettled: Unsettled) -> None:
        """Replace outcomes that cannot be settled, so that the items of one job do not end the engine for all jobs."""
        self._parts.outcomes.repair(unsettled.job, unsettled.__cause__)
        self._parts.starter.forget()
        self.rebuild()

    def refresh(self, now: int) -> None:
        """Read the changes of commands, in the caller's transaction."""
        parts = self._parts
        parts.live_jobs.refresh(self.epoch)
        if parts.limits.refresh(parts.live_jobs, now):
            parts.live_jobs.touch_all()
        parts.specs.queue_slots = parts.limits.queue_slots()

    def start_over(self, error: Exception, now: int) -> None:
        """A commit failed and changed nothing: keep the outcomes, say so, try again soon. Raises Limited."""
        parts = self._parts
        parts.trouble.begin(f"{UNWRITABLE_STORE}: {error}", now)
        parts.starter.forget()
        self.rebuild()
        if limit := file_limit(str(parts.database.path.parent)):
            raise Limited(f"the database cannot grow: the limit on the size of files (ulimit -f) is {limit}")
        # A disk that is full may stay full for days: a stop does not wait for it.
        self.stays_unwritten = parts.starter.is_stopped and not any(live.in_hand for live in parts.live_jobs)

    def rebuild(self) -> None:
        """Read the live jobs from the database again. Attempts that ended but are not recorded are not in hand."""
        parts = self._parts
        parts.live_jobs.rebuild(self.epoch)
        for live in parts.live_jobs:
            ended = parts.outcomes.ended(live.id)
            live.in_hand = {key: cost for key, cost in live.in_hand.items() if key not in ended}

    def close_rounds(self, now: int) -> None:
        """Write result files of jobs whose items are all terminal, and commit the end of those that have theirs."""
        parts = self._parts
        for live in list(parts.ready_queue.changed.values()):
            if live.is_over and live.close_at <= now:
                parts.closer.begin(live, now)
                parts.live_jobs.touch(live)
        for closed in parts.closer.done():
            finished = parts.live_jobs.get(closed.job)
            made = finished is not None and self._close(finished, closed, now)
            closed.undo.end(parts.database, made=made)

    def _close(self, live: LiveJob, closed: closing.Closed, now: int) -> bool:
        """End a round whose files are written; False if that failed and the files are made again."""
        parts = self._parts
        live.closing = False  # after an error below, the files are made again
        parts.live_jobs.touch(live)
        if closed.results is None:
            if os.strerror(errno.EFBIG) in closed.error:
                raise Limited("result files cannot grow: the limit on the size of files (ulimit -f) is too small")
            live.unwritten = f"{UNWRITTEN_RESULTS} {live.id} cannot be written: {closed.error}"
            live.close_at = now + PAUSE_US
            return False
        try:
            with parts.clock.transaction():
                closing.finish(parts.database, live, closed, now, parts.closer.undone.latest)
                # In the same transaction as the end, so that no step, death or retry in between can start one of them.
                for dependent in parts.live_jobs.check_dependents(live.id):
                    parts.stops.obey_rules(dependent, now)
        except (ClockSet, RowsChanged):
            parts.wake.ring()  # this round has written nothing; the next one follows the clock
            return False
        except UNWRITABLE as error:
            self.start_over(error, now)
            return False
        parts.trouble.end()
        parts.live_jobs.drop(live.id)
        if closed.undo.staged is not None:
            parts.live_jobs.expect_changes()  # this connection has made a job, which it would not notice
        parts.wake.ring()  # jobs that come after this one may start now
        return True
