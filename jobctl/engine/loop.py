"""The engine: one loop of named phases over one database and one executor.

Collect outcomes, settle, handle requests, stop what must stop, claim into free slots, commit, start, close rounds,
housekeeping. It blocks on "outcome, wake-up or deadline" and on nothing else. Everything that is written between two
waits is written in one transaction, whose commit survives a power cut; only then is anything started, ended or
acknowledged. After a transaction that failed, the picture in memory is made anew from the database.
"""

from __future__ import annotations

import errno
import gc
import os
import selectors
from collections.abc import Iterable, Mapping

from jobctl.config import Home
from jobctl.domain.ports import AttemptId, Capacity, Dispatch, Ending, Event, Executor, Finished
from jobctl.domain.states import Stop
from jobctl.domain.wording import UNWRITABLE_STORE, UNWRITTEN_RESULTS
from jobctl.engine import stopping
from jobctl.engine.attempts import claiming, recovery
from jobctl.engine.attempts.not_started import UNREADABLE, not_started
from jobctl.engine.attempts.outcome_buffer import OutcomeBuffer
from jobctl.engine.attempts.settling import Batch, Settler
from jobctl.engine.clock import ClockAlarm, ClockSet, WallClock
from jobctl.engine.housekeeping import HEARTBEAT_US, Housekeeping
from jobctl.engine.jobs.job_spec import JobSpecs
from jobctl.engine.jobs.limits import Limits
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.engine.jobs.live_jobs import LiveJobs
from jobctl.engine.jobs.ready_queue import ReadyQueue
from jobctl.engine.jobs.resources import Resources, of_this_machine
from jobctl.engine.notifier import Notifier
from jobctl.engine.options import NO_LIMIT, EngineOptions
from jobctl.engine.orders import Orders, has_more, is_called_for
from jobctl.engine.rounds import closing
from jobctl.process import moment
from jobctl.process.own_log import say
from jobctl.process.wakeup import WakeUp
from jobctl.store import clock, daemon, downtime, jobs, meta, sqlite
from jobctl.store.database import UNWRITABLE, Database
from jobctl.store.items import StaleAttempts
from jobctl.store.opening.trouble import file_limit

#: After a commit that failed (disk full, I/O error), the next try.
TROUBLE_PAUSE_US = 1_000_000


class Fenced(Exception):
    """Another engine has begun a newer epoch; this one must not write."""


class Unsettled(Exception):
    """Outcomes of a job could not be settled for a reason that nobody thought of; the cause says which."""

    def __init__(self, job: int) -> None:
        super().__init__(job)
        self.job = job


#: Another daemon could take the lock of the file that is there now.
_LOST_LOCK = "the lock file was removed or replaced: running items finish, nothing new starts, and this daemon ends"


class Limited(Exception):
    """A limit of this process, which no waiting changes, keeps it from writing."""


class Unwritten(Exception):
    """A stop was asked for and nothing runs any more, but what ended cannot be written; the supervisor keeps it."""


class Engine:
    """Owns the database of a store for as long as it lives."""

    def __init__(
        self, database: Database, executor: Executor, home: Home, options: EngineOptions, wake: WakeUp, now: int
    ) -> None:
        self._database = database
        self._clock = WallClock(database)
        self._executor = executor
        self._options = options
        self._slots = 0 if options.elastic else options.slots
        self._most_slots = options.slots or NO_LIMIT
        self._wake = wake
        self._specs = JobSpecs(home, self._most_slots, {})
        self._limits = Limits(database)
        self._ready_queue = ReadyQueue(self._limits, lambda live: options.scope is None or bool(live.row.foreground))
        self._resources = (
            Resources((), of_cluster=True) if options.elastic else of_this_machine(options.slots, options.devices)
        )
        self._live_jobs = LiveJobs(database, executor, self._specs, self._ready_queue, self._resources)
        self._outcomes = OutcomeBuffer(database)
        self._closer = closing.RoundCloser(database, home, wake.ring)
        self._notifier = Notifier(database, home, wake.ring)
        self._housekeeping = Housekeeping(database, options.scope, self._slots, now)
        self._capacity: Capacity | None = None  # as it was told last
        self._epoch = 0
        self._has_taken_over = False  # what an engine before this one left is settled
        self._state = "recovering"
        self._stopping = 0  # 1 = finish what runs, 2 = end it
        self._told_to_stop = 0
        self._trouble = ""
        self._trouble_until = 0
        self._stays_unwritten = False  # nothing else is left to wait for
        self._dispatches: list[Dispatch] = []
        self._refused: list[Finished] = []  # claimed, and not to be started
        self._looked_at = now  # what was due by then was seen to
        self._orders = Orders(database, executor, self._ready_queue, self._count)

    # ---- life ----

    def begin(self, now: int, *, fresh: bool) -> None:
        """Take over the store: new epoch, adopt or give back what ran, say that the daemon is up. Raises Elsewhere."""
        self._looked_at = now
        with self._database.transaction():
            self._clock.follow(now)
            clock.bound(self._database, now)
            if fresh:
                downtime.begin(self._database)
        self._clock.followed(now)
        self._housekeeping.keep(now, self._state, "")
        recovered = recovery.recover(self._database, self._executor, now, self._options.place, fresh=fresh)
        self._epoch = recovered.epoch
        self._executor.resize(self._most_slots)
        with self._database.transaction():
            daemon.save_environment(self._database, os.getpid(), os.environ)
            self._refresh(now)
            self._notifier.recover(now)
        for finished in recovered.interrupted.values():
            self._take(finished, now)
        self._executor.acknowledge(recovered.gone)
        # What ended before we came was told with the answer to ``adopt``: no descriptor announces it any more.
        self._take(self._executor.collect(0), now)
        self._state = "up"
        self._step(now)
        self._take_back()
        self._close_rounds(now)  # whose last item ended before the engine before this one could close them
        self._housekeeping.keep(now, self._state, "")

    def run(self) -> None:
        """Work until told to stop or, in drain mode, until nothing is left. Raises Unwritten, StoreGone, Fenced."""
        gc.freeze()  # what is there now stays: not to be looked at again and again
        selector = selectors.DefaultSelector()
        selector.register(self._executor.fileno(), selectors.EVENT_READ)
        selector.register(self._wake.fileno(), selectors.EVENT_READ)
        alarm = ClockAlarm()
        if (fd := alarm.fileno()) is not None:
            selector.register(fd, selectors.EVENT_READ)
        # Asked for the moment of the last tick: what has become due since then ends the wait, it is not looked at here.
        while not self.is_over(self._looked_at):
            # The wall clock may be set before or while the engine waits: then a moment says nothing about a wait.
            selector.select(min(self._timeout_s(moment.now()), HEARTBEAT_US / 1e6))
            self._wake.drain()
            alarm.drain()
            now = moment.now()
            self.follow_clock(now)
            self.tick(int(now))
            if self._stays_unwritten:
                raise Unwritten(self._trouble)
        self._housekeeping.look_at_files()  # or the goodbye would be written where nobody reads it

    def tick(self, now: int) -> None:
        """One round of all phases; ``now`` in microseconds UTC."""
        self._looked_at = now
        self._take(self._executor.collect(0), now)
        self._obey_stop(self._executor.stop_requested())
        if not self._stopping and self._housekeeping.has_lost_lock():
            say(_LOST_LOCK)
            self._obey_stop(1)
        self._ready_queue.look(self._slots, now)
        written = not self._is_resting(now) and self._is_time_to_write(now) and self._step(now)
        self._take_back()
        if written:
            self._ready_queue.done(keep=_is_unfinished)
        # What closing a round changes, for the jobs that come after it too, is work for the next step.
        if not self._is_resting(now):
            self._close_rounds(now)
        if self._orders.wants_checkpoint:
            self._orders.wants_checkpoint = not self._housekeeping.empty_log()
        trouble = self._trouble or self._ready_queue.unwritten() or self._outcomes.pressure
        self._housekeeping.keep(now, self._state, trouble or self._housekeeping.shortage(now))

    def follow_clock(self, now: int) -> None:
        """See whether the wall clock was set: what waits for a while waits no longer and no less because of it."""
        if self._clock.is_followed(now):
            return
        try:
            with self._database.transaction():
                self._clock.follow(now)
        except UNWRITABLE as error:
            self._start_over(f"{UNWRITABLE_STORE}: {error}", now)
            return
        jump = self._clock.jump(now)
        self._clock.followed(now)
        self._trouble_until += jump
        self._looked_at = now
        for part in (self._housekeeping, self._outcomes, self._limits):
            part.shift(jump)
        for live in self._live_jobs:
            live.pace.shift(jump)
        self._rebuild()

    def is_over(self, now: int) -> bool:
        """Whether there is nothing more to do for this engine."""
        self._ready_queue.look(self._slots, now)
        if self._outcomes.batches or self._ready_queue.in_hand or self._closer.is_busy:
            return False
        if self._stopping:
            return self._stopping == 2 or not self._notifier.is_sending()
        if self._options.scope is not None:
            return self._is_served(self._options.scope) and not self._notifier.is_busy(now, self._options.scope)
        if not self._options.drain or any(self._has_future(live) for live in self._live_jobs):
            return False
        return not self._notifier.is_busy(now)

    def _has_future(self, live: LiveJob) -> bool:
        """Whether something will happen to a job without anybody's help, or to those that it waits for."""
        if live.stop is not None or not live.has_future:
            return live.stop is not None
        awaited = [*live.waits_for, *(live.follows if not live.live else ())]
        others = [other for other in map(self._live_jobs.get, awaited) if other is not None]
        return all(self._has_future(other) for other in others)

    def _is_served(self, scope: int) -> bool:
        """Whether nothing is left to do for the one job that this engine is for.

        One that nobody runs in the foreground is not worked off: the engine came to end something of it. What cannot
        start any more because of that end is ended with it, however long the chain is.
        """
        live = self._live_jobs.get(scope)
        if live is not None and (live.row.foreground or live.stop is not None):
            return False
        return not any(_ends_with_another(each) for each in self._live_jobs)

    # ---- collect ----

    def _take(self, events: Iterable[Event], now: int) -> None:
        strangers = self._outcomes.take(events, self._live_jobs, now)
        if any(strangers):
            self._executor.acknowledge(*strangers)
        for job in self._outcomes.batches:
            if (live := self._live_jobs.get(job)) is not None:
                self._ready_queue.touch(live)
        capacity = self._outcomes.capacity
        if capacity is not None and capacity is not self._capacity:
            self._resize(capacity)

    def _resize(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self._slots = self._housekeeping.slots = capacity.slots
        self._housekeeping.crew = capacity.crew
        if capacity.crew is not None:
            self._resources.follow(capacity.crew.offers)
        self._live_jobs.look_ahead(capacity.ahead_s)
        self._live_jobs.find_room()

    def _obey_stop(self, requested: int) -> None:
        self._stopping = max(self._stopping, requested)
        if self._stopping <= self._told_to_stop:
            return
        self._told_to_stop = self._stopping
        self._trouble_until = 0  # one more try to write, now
        self._state = "draining"
        self._notifier.stop()
        self._executor.recall()
        if self._stopping == 2:
            for live in self._live_jobs:
                attempts = [AttemptId(live.id, *key) for key in live.in_hand]
                self._executor.cancel(attempts, live.row.policy.grace_s, Ending.INTERRUPTED)

    # ---- decide when ----

    def _is_time_to_write(self, now: int) -> bool:
        return (
            self._outcomes.is_due(now)
            or self._is_starving(now)
            or self._live_jobs.is_stale()
            or self._notifier.is_due(now)
            or any(is_called_for(live, now) for live in self._ready_queue.changed.values())
        )

    def _is_starving(self, now: int) -> bool:
        """Whether a slot is free that could be filled, or outcomes have nothing left to wait for."""
        in_hand = self._ready_queue.in_hand
        if in_hand == 0 and self._outcomes.outcomes:
            return True
        return in_hand < self._slots and bool(self._claimable(now))

    def _claimable(self, now: int) -> list[tuple[LiveJob, int]]:
        if self._stopping or self._outcomes.pressure or self._housekeeping.shortage(now):
            return []
        self._ready_queue.look(self._slots, now)
        return claiming.plan(self._ready_queue, claiming.Room(self._slots, self._limits, self._resources), now)

    def _is_resting(self, now: int) -> bool:
        """Whether a commit failed a moment ago; a moment further away is of a clock that was set since."""
        return now < self._trouble_until <= now + TROUBLE_PAUSE_US

    def _timeout_s(self, now: int) -> float:
        if self._is_resting(now):
            return (self._trouble_until - now) / 1e6
        if any(has_more(live) for live in self._ready_queue.changed.values()):
            return 0.0
        deadlines = (
            self._housekeeping.next_beat_at(),
            self._outcomes.due_at(),
            self._notifier.due_at(),
            self._ready_queue.next_at(),
        )
        return max(0.0, (min(at for at in deadlines if at is not None) - now) / 1e6)

    # ---- write ----

    def _step(self, now: int) -> bool:
        """Everything that changes rows, in one transaction; then everything that follows from its commit.

        False when it could not be committed.
        """
        try:
            with self._clock.transaction():
                self._write(now)
        except ClockSet:
            self._wake.ring()  # this round has written nothing; the next one follows the clock
            return False
        except UNWRITABLE as error:
            self._start_over(f"{UNWRITABLE_STORE}: {error}", now)
            return False
        except Unsettled as unsettled:
            self._repair(unsettled)
            return False
        self._trouble = ""
        self._has_taken_over = True
        self._executor.acknowledge(*self._outcomes.settled())
        self._outcomes.clear(now)
        self._after_commit()
        return True

    def _write(self, now: int) -> None:
        if meta.epoch(self._database) != self._epoch:
            raise Fenced
        self._housekeeping.look_at_files()
        if self._live_jobs.is_stale():
            self._refresh(now)
        for job, batch in self._outcomes.batches.items():
            live = self._live_jobs.get(job)
            if live is not None:
                self._count(live, self._settle(live, batch, now), now)
        if not self._has_taken_over:
            recovery.is_over(self._database, self._executor)
            downtime.end(self._database, now, self._options.scope)
        self._live_jobs.look_up(self._ready_queue.changed.values(), now)
        self._orders.write(self._live_jobs, self._epoch, now)
        self._claim(now)
        self._live_jobs.restate(self._ready_queue.changed.values(), now)
        self._notifier.write(now)

    def _settle(self, live: LiveJob, batch: Batch, now: int) -> Mapping[str, int]:
        try:
            return Settler(self._database, self._epoch, live, now, self._housekeeping.disks).settle(batch)
        except (StaleAttempts, *UNWRITABLE):
            raise
        except Exception as error:
            if type(error) is sqlite.DatabaseError or self._outcomes.is_rebuilt(live.id):
                raise
            raise Unsettled(live.id) from error

    def _repair(self, unsettled: Unsettled) -> None:
        """What one job's items did must not end the engine for all: settle what is sound in it, at once."""
        self._outcomes.rebuild(unsettled.job, unsettled.__cause__)
        self._dispatches = []
        self._rebuild()

    def _refresh(self, now: int) -> None:
        self._live_jobs.refresh(self._epoch)
        if self._limits.refresh(self._live_jobs, now):
            self._live_jobs.touch_all()
        self._specs.queue_slots = self._limits.queue_slots()

    def _count(self, live: LiveJob, deltas: Mapping[str, int], now: int) -> None:
        for name, delta in deltas.items():
            if name in live.counts:
                live.counts[name] += delta
        self._ready_queue.touch(live)
        rate, mean = live.pace.rate_per_s(), live.pace.mean_us
        jobs.count(self._database, live.id, deltas, cursor=live.cursor, updated_at=now, rate_per_s=rate, mean_us=mean)

    def _claim(self, now: int) -> None:
        for live, limit in self._claimable(now):
            claimed = claiming.claim(self._database, self._epoch, live, limit, now)
            self._limits.take(live, len(claimed.to_start))
            self._ready_queue.touch(live)
            self._refused.extend(not_started(claimed.unreadable, UNREADABLE, now, errno.EBADMSG))
            if live.ungiven:
                self._refused.extend(not_started(claimed.to_start, live.ungiven, now))
            else:
                self._dispatches.extend(claimed.to_start)

    # ---- after the commit ----

    def _take_back(self) -> None:
        for live in self._ready_queue.changed.values():
            paused = self._limits.is_paused(live) or bool(live.waits_for)
            stopping.take_back(self._executor, live, paused=paused)

    def _after_commit(self) -> None:
        if self._dispatches:
            self._executor.start(self._dispatches)
            self._dispatches = []
        refused, self._refused = self._refused, []
        self._take(refused, self._looked_at)
        self._orders.send()
        self._notifier.send()

    def _start_over(self, trouble: str, now: int) -> None:
        """A commit that failed changed nothing: keep the outcomes, say so, try again soon."""
        self._trouble = trouble
        self._trouble_until = now + TROUBLE_PAUSE_US
        self._dispatches, self._refused = [], []
        self._rebuild()
        if limit := file_limit(str(self._database.path.parent)):
            raise Limited(f"the database cannot grow: the limit on the size of files (ulimit -f) is {limit}")
        # A disk that is full may stay full for days: a stop does not wait for it.
        self._stays_unwritten = bool(self._stopping) and not any(live.in_hand for live in self._live_jobs)

    def _rebuild(self) -> None:
        """Take the picture in memory from the database; what has ended but is not recorded is not in hand."""
        self._live_jobs.rebuild(self._epoch)
        for live in self._live_jobs:
            ended = self._outcomes.ended(live.id)
            live.in_hand = {key: cost for key, cost in live.in_hand.items() if key not in ended}

    def _close_rounds(self, now: int) -> None:
        """Result files for jobs whose items are all terminal; the terminal commit for those whose files are there."""
        for live in list(self._ready_queue.changed.values()):
            if live.is_over and live.close_at <= now:
                self._closer.begin(live, now)
                self._ready_queue.touch(live)
        for closed in self._closer.done():
            finished = self._live_jobs.get(closed.job)
            if finished is not None:
                self._close(finished, closed, now)

    def _close(self, live: LiveJob, closed: closing.Closed, now: int) -> None:
        live.closing = False  # if anything goes wrong from here on, the files are made again
        self._ready_queue.touch(live)
        if closed.results is None:
            if os.strerror(errno.EFBIG) in closed.error:
                raise Limited("result files cannot grow: the limit on the size of files (ulimit -f) is too small")
            live.unwritten = f"{UNWRITTEN_RESULTS} {live.id} cannot be written: {closed.error}"
            live.close_at = now + TROUBLE_PAUSE_US
            return
        try:
            with self._clock.transaction():
                closing.finish(self._database, live, closed.results, now)
                # Decided with the end itself: no step, death or retry in between can let one of them start.
                for dependent in self._live_jobs.check_dependents(live.id):
                    self._orders.obey_rules(dependent, now)
        except ClockSet:
            self._wake.ring()  # this round has written nothing; the next one follows the clock
            return
        except UNWRITABLE as error:
            self._start_over(f"{UNWRITABLE_STORE}: {error}", now)
            return
        self._trouble = ""
        self._live_jobs.drop(live.id)
        self._wake.ring()  # what came after this job may start now


def _is_unfinished(live: LiveJob) -> bool:
    """Whether a step left something to do for the next one: more rows, a round to close."""
    return has_more(live) or live.is_over


def _ends_with_another(live: LiveJob) -> bool:
    """Whether a job is to end because of one that it comes after, and can."""
    return not live.unwritten and (live.stop is Stop.DEPENDENCY or live.is_doomed)
