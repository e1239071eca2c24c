"""The limits that keep a job from starting items in free slots: its queue, its rate, and the jobs before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jobctl.domain.rate import TokenBucket
from jobctl.domain.states import TERMINAL_JOB_STATES, JobState
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.store import followed, jobs, queues
from jobctl.store.database import Database
from jobctl.store.queues import QueueRow


class Limits:
    """The queues and token buckets of the database, without the tokens that were used since the last look."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queues: dict[str, QueueRow] = {}
        self._buckets: dict[int | str, TokenBucket] = {}  # by job number or queue name
        self._rates: dict[int | str, str] = {}

    def refresh(self, live_jobs: Iterable[LiveJob], now: int) -> bool:
        """Read the changes of commands; True if they may let a job start that could not, or the other way round."""
        before = self._queue_limits(), self._rates.copy()
        self._queues = queues.load_all(self._database)
        wanted: dict[int | str, tuple[str, float | None, int | None]] = {}
        for queue in self._queues.values():
            if queue.rate is not None:
                wanted[queue.name] = (queue.rate, queue.tokens, queue.tokens_at)
        for live in live_jobs:
            if live.row.policy.rate is not None:
                wanted[live.id] = (live.row.policy.rate, live.row.tokens, live.row.tokens_at)
        for key, (rate, tokens, at) in wanted.items():
            if self._rates.get(key) != rate:
                self._buckets[key] = TokenBucket.restore(rate, tokens, at, now)
                self._rates[key] = rate
        for key in self._rates.keys() - wanted.keys():
            del self._rates[key], self._buckets[key]
        return before != (self._queue_limits(), self._rates)

    def _queue_limits(self) -> list[tuple[str, int | None, int | None]]:
        return [(queue.name, queue.slots, queue.paused_at) for queue in self._queues.values()]

    def queue_slots(self) -> dict[str, int | None]:
        """The slots of each queue; None for a queue without a limit of its own."""
        return {queue.name: queue.slots for queue in self._queues.values()}

    def is_open(self, live: LiveJob) -> bool:
        """True if neither its queue nor another job keeps it from starting."""
        return not live.waits_for and not live.broken_dependency and not self._is_queue_paused(live)

    def is_paused(self, live: LiveJob) -> bool:
        """True if the job or its queue is paused."""
        return live.row.paused_at is not None or self._is_queue_paused(live)

    def _is_queue_paused(self, live: LiveJob) -> bool:
        queue = self._queues.get(live.row.queue)
        return queue is not None and queue.paused_at is not None

    def allowed(self, live: LiveJob, now: int) -> int | None:
        """The number of items that may start now by its rates; None = it has no rate."""
        rooms = [bucket.available(now) for bucket in self._buckets_of(live)]
        return min(rooms) if rooms else None

    def take(self, live: LiveJob, count: int) -> None:
        """Take tokens for ``count`` claimed items, and store the rest of the buckets, in the caller's transaction."""
        for bucket in self._buckets_of(live):
            bucket.take(count)
        own = self._buckets.get(live.id)
        if own is not None:
            jobs.update(self._database, live.id, tokens=own.tokens, tokens_at=own.at)
        of_queue = self._buckets.get(live.row.queue)
        if of_queue is not None:
            queues.change(self._database, live.row.queue, tokens=of_queue.tokens, tokens_at=of_queue.at)

    def shift(self, by: int) -> None:
        """The wall clock was set by this many microseconds."""
        for bucket in self._buckets.values():
            bucket.at += by

    def next_at(self, live: LiveJob) -> int | None:
        """The time when its rates let the next item start; None = it has no rate."""
        times = [bucket.next_at() for bucket in self._buckets_of(live)]
        return max(times) if times else None

    def _buckets_of(self, live: LiveJob) -> Iterator[TokenBucket]:
        for key in (live.id, live.row.queue):
            if key in self._buckets:
                yield self._buckets[key]


def check_dependencies(database: Database, live: LiveJob) -> None:
    """Find the jobs before it that are not done, and decide if it can ever start.

    A job that was pruned does not prevent another round of a job that has run before: its condition was met then.
    """
    live.waits_for, live.follows, live.broken_dependency = [], [], ""
    for number, condition in live.row.after:
        state = jobs.state(database, number)
        if state is not None and JobState(state) not in TERMINAL_JOB_STATES:
            (live.follows if condition == followed.CONDITION else live.waits_for).append(number)
        elif condition == "ok" and state != JobState.SUCCEEDED and not (state is None and live.row.attempts):
            ended = "is gone" if state is None else f"ended {state}"
            live.broken_dependency = f"job {number} {ended}, and this one was to run only after its success"
