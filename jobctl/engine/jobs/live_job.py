"""A live job as the engine knows it: its rules for starting items, its attempts in hand, its pace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobctl.domain.figures import Course, Durations
from jobctl.domain.mask import Mask
from jobctl.domain.policy import allowed_failures
from jobctl.domain.states import JobState, Stop
from jobctl.engine.jobs.fair_share import Share
from jobctl.engine.jobs.pace import Pace
from jobctl.handlers.kinds import kind_of

if TYPE_CHECKING:
    from jobctl.domain.cluster_workers import Amounts
    from jobctl.handlers.handler import Handler
    from jobctl.store.groups import FailureGroups
    from jobctl.store.job_row import JobRow

#: Seconds of work that each slot gets ahead of time, so that short items never wait for a commit and long items are
#: never claimed before they can start.
LOOKAHEAD_S = 0.2
#: The expected duration of an item until the first item of its job has ended.
UNKNOWN_MEAN_US = 1_000_000.0
#: No job has more attempts than these ahead of free slots.
_MOST_AHEAD = 16_000
#: The number of attempts that each slot of a large cluster may have ahead.
_AHEAD_PER_SLOT = 16


@dataclass(slots=True)
class LiveJob:
    """A job whose round is open."""

    row: JobRow
    handler: Handler
    groups: FailureGroups
    counts: dict[str, int]
    cursor: int
    pace: Pace = field(default_factory=Pace)
    durations: Durations = field(default_factory=Durations)
    course: Course = field(default_factory=lambda: Course(1))
    mask: Mask = field(default_factory=Mask)  # hides secrets in the messages of its items
    in_hand: dict[tuple[int, int], float] = field(default_factory=dict)  # (item, attempt) -> slot time charged
    barred: set[tuple[int, int]] = field(default_factory=set)  # attempts in hand that take no slot
    next_due: int | None = None
    used_us: float = 0.0  # slot time, for fair sharing
    share: Share | None = None  # of all jobs of its owner; None = it has no owner
    ahead_s: float = LOOKAHEAD_S  # seconds of work to hand over for each slot before it is free
    needs: Amounts = ()  # the resources that each item needs in addition to a slot
    most_at_once: int | None = None  # items with these needs that could run together; None = it needs nothing
    before: tuple[int, int] = (0, 0)  # items that had succeeded and failed when the round began
    absent_in_a_row: int = 0
    absent_message: str = ""  # the message of the last of them
    closing: bool = False
    close_at: int = 0  # the next try to write its result files
    unwritten: str = ""  # the reason why its result files could not be written
    sweeps: set[int] = field(default_factory=set)  # requests to cancel items of which some are still in the queue
    drop_from: int = 1  # the first item that was not looked at since the stop
    ending_sent: bool = False  # the executor was told of the stop
    taken_back: bool = False  # paused, and the executor was asked for the attempts that had not begun
    waits_for: list[int] = field(default_factory=list)  # jobs before it that are not done
    broken_dependency: str = ""  # the reason why it can never start: how a job before it ended
    follows: list[int] = field(default_factory=list)  # jobs that are not done and have some of its rows
    has_followed: bool = False  # some of its rows are not items yet, because other jobs have them
    problem: str = ""  # the reason why its items cannot start: its secrets cannot be read, or its row is damaged
    missing_variables: str = ""  # a sentence about variables that the daemon lacks: its items fail unstarted

    @property
    def id(self) -> int:
        """Its number."""
        return self.row.id

    @property
    def level_us(self) -> float:
        """The slot time that counts when it is compared with jobs of others."""
        return self.used_us if self.share is None else self.share.used_us

    @property
    def taken(self) -> int:
        """The number of attempts in hand that take a slot."""
        return len(self.in_hand) - len(self.barred)

    @property
    def live(self) -> int:
        """The number of items that are not terminal."""
        return self.counts["queued"] + self.counts["running"] + self.counts["retrying"]

    @property
    def failed(self) -> int:
        """The number of items that failed in this round."""
        return self.counts["failed"] - self.before[1]

    @property
    def processed(self) -> int:
        """The number of items that got their outcome in this round."""
        return self.counts["succeeded"] - self.before[0] + self.failed

    @property
    def stop(self) -> Stop | None:
        """The reason why nothing may start any more, if the job was stopped."""
        return self.row.stop

    def slots(self, capacity: int) -> int:
        """The number of attempts that may run at once."""
        limits = (capacity, self.row.policy.slots, self.most_at_once)
        return min(limit for limit in limits if limit is not None)

    def lookahead(self, slots: int) -> int:
        """The number of attempts to hand over beyond the free slots.

        It grows slowly, is zero while the command seems not to exist, and never exceeds the failures that are still
        allowed, because the outcome of an earlier attempt cannot hold back an attempt that was handed over.
        """
        if self.pace.mean_us is None or self.absent_in_a_row:
            return 0
        least_us, most = kind_of(self.row.handler).look_ahead
        ahead = int(slots * self.ahead_s * 1e6 / max(self.pace.mean_us, least_us))
        most = max(most, _AHEAD_PER_SLOT * slots)
        return max(0, min(ahead, self.pace.finished, self._failures_left(), most))

    def wants(self, capacity: int) -> int:
        """The number of further attempts that it may have in hand by its own limits."""
        slots = self.slots(capacity)
        most = slots + self.lookahead(slots) - self.taken
        return min(most, self.counts["queued"] + self.counts["retrying"])

    def _failures_left(self) -> int:
        """The number of items that may still fail before the job stops; a large number without a limit."""
        limit = self.row.policy.max_failures
        return _MOST_AHEAD if limit is None else allowed_failures(limit, self.processed) - self.failed

    def is_open(self, now: int) -> bool:
        """True if its items may start at all. While a set is being cancelled, the next item may be one of the set."""
        return not self.problem and not self.sweeps and self._is_its_time(now)

    def is_stuck(self, now: int) -> bool:
        """True if only its ``problem`` keeps its items from starting."""
        return bool(self.problem) and self._is_its_time(now) and not self.is_held_back and self.has_ready(now)

    def _is_its_time(self, now: int) -> bool:
        row = self.row
        return (
            row.stop is None
            and row.paused_at is None
            and not self.closing
            and row.state != JobState.CANCELLING
            and (row.not_before_at is None or row.not_before_at <= now)
        )

    @property
    def has_future(self) -> bool:
        """True if something will happen to the job without a command."""
        return self.stop is not None or self.live == 0 or self.row.paused_at is None

    @property
    def is_held_back(self) -> bool:
        """True if a job that it comes after is not done, or ended in a way that this one must not follow."""
        return bool(self.waits_for or self.broken_dependency)

    @property
    def must_stop_unstarted(self) -> bool:
        """True if a job before it ended so that it can never start, and it is not stopped for that yet."""
        return bool(self.broken_dependency) and self.stop is None and not self.closing

    @property
    def is_over(self) -> bool:
        """True if its round is to be closed. A job without rows waits for its turn too: others may come after it."""
        if self.live or self.closing or self.has_followed:
            return False
        return self.stop is not None or not self.is_held_back

    def charge(self, keys: Sequence[tuple[int, int]]) -> None:
        """Take attempts in hand, and charge the slot time that they are expected to use."""
        expected = self.pace.mean_us or UNKNOWN_MEAN_US
        self.in_hand.update(dict.fromkeys(keys, expected))
        self._use(expected * len(keys))

    def finish_attempt(self, key: tuple[int, int], used_us: float) -> None:
        """Remove an attempt that is over, and charge the slot time that it really used."""
        self._use(used_us - self.in_hand.pop(key))
        self.barred.discard(key)

    def finish_attempts(self, keys: list[tuple[int, int]], used_us: float) -> None:
        """The same as ``finish_attempt`` for many attempts; ``used_us`` is the slot time of all of them."""
        self._use(used_us - sum(map(self.in_hand.pop, keys)))

    def _use(self, used_us: float) -> None:
        self.used_us += used_us
        if self.share is not None:
            self.share.used_us += used_us

    def has_ready(self, now: int) -> bool:
        """True if something could start now."""
        return self.counts["queued"] > 0 or (self.next_due is not None and self.next_due <= now)
