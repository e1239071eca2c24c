"""The engine's picture of a live job: what it may run, what it has in hand, how fast it goes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobctl.domain.figures import Course, Durations
from jobctl.domain.mask import Mask
from jobctl.domain.policy import allowed_failures
from jobctl.domain.states import JobState, Stop
from jobctl.handlers.kinds import kind_of

if TYPE_CHECKING:
    from jobctl.domain.crew import Amounts
    from jobctl.handlers.handler import Handler
    from jobctl.store.groups import Groups
    from jobctl.store.job_row import JobRow

#: Attempts handed to the executor ahead of free slots are at most this much work, so that short items never wait
#: for a commit and long ones are never claimed before they can start.
LOOKAHEAD_S = 0.2
#: Until something is known about a job's items, one of them is taken to last so long.
UNKNOWN_MEAN_US = 1_000_000.0
#: No job has more attempts than these ahead of free slots.
_MOST_AHEAD = 16_000
#: Of a cluster with many slots each has its share of what is ahead.
_AHEAD_PER_SLOT = 16
_RATE_WINDOW_S = 30.0
_RATE_WINDOW_ITEMS = 20.0
_MEAN_WEIGHT = 0.05


@dataclass(slots=True)
class Pace:
    """Smoothed figures of a job: items per second, duration of an attempt.

    The rate is items that got their outcome by the time in which the job could make progress. Both fade alike: what
    is older than half a minute, but never so fast that less than the last twenty items or so count. Items of an hour
    are thus measured as well as items of a millisecond, and a rest (a pause, nothing but retries to wait for) changes
    nothing.
    """

    mean_us: float | None = None
    finished: int = 0
    _items: float = 0.0
    _seconds: float = 0.0
    _at: int | None = None  # time up to there is accounted for

    def add(self, count: int, total_us: int) -> None:
        """Take in attempts that ended: how many and how long they took together."""
        if not count:
            return
        average = max(1.0, total_us / count)  # a call may take less than can be told; nothing is free
        self.finished += count
        share = max(1 - (1 - _MEAN_WEIGHT) ** count, count / self.finished)
        self.mean_us = average if self.mean_us is None else self.mean_us + share * (average - self.mean_us)

    @property
    def is_new(self) -> bool:
        """Whether its time has not begun."""
        return self._at is None

    def rest(self, now: int) -> None:
        """Nothing runs and nothing could: the time since the last event does not count."""
        self._at = now

    def shift(self, by: int) -> None:
        """The wall clock was set by this many microseconds."""
        self._at = None if self._at is None else self._at + by

    def processed(self, count: int, now: int) -> None:
        """Take in items that got their outcome (none, when every attempt that ended will be followed by another)."""
        passed_s = 0.0 if self._at is None else max(0, now - self._at) / 1e6
        self._at = now
        kept = math.exp(-min(passed_s / _RATE_WINDOW_S, count / _RATE_WINDOW_ITEMS))
        self._items = self._items * kept + count
        self._seconds = self._seconds * kept + passed_s

    def rate_per_s(self) -> float | None:
        """Items per second, smoothed; None before anything can be said."""
        if self._seconds < 1.0 or not self._items:
            return None
        return self._items / self._seconds


@dataclass(slots=True)
class LiveJob:
    """A job whose round is open."""

    row: JobRow
    handler: Handler
    groups: Groups
    counts: dict[str, int]
    cursor: int
    pace: Pace = field(default_factory=Pace)
    durations: Durations = field(default_factory=Durations)
    course: Course = field(default_factory=lambda: Course(1))
    mask: Mask = field(default_factory=Mask)  # over what its items say
    in_hand: dict[tuple[int, int], float] = field(default_factory=dict)  # (item, attempt) -> slot time charged
    barred: set[tuple[int, int]] = field(default_factory=set)  # of those in hand, what takes no slot
    next_due: int | None = None
    used_us: float = 0.0  # slot time, for fair sharing
    ahead_s: float = LOOKAHEAD_S  # work for each slot to hand over before it is free
    needs: Amounts = ()  # of each item, besides a slot
    room: int | None = None  # how many with such needs could run at once; None = needs nothing
    before: tuple[int, int] = (0, 0)  # items that had succeeded and failed when the round began
    absent_in_a_row: int = 0
    absent_message: str = ""  # of the last of them
    closing: bool = False
    close_at: int = 0  # its result files could not be written: not again before
    unwritten: str = ""  # why
    drop_from: int = 1  # items below it have been looked at since the stop
    ending_sent: bool = False  # what runs was told to end
    taken_back: bool = False  # paused: what had not begun was asked for
    waits_for: list[int] = field(default_factory=list)  # jobs it comes after that are not done
    never: str = ""  # why it can never start
    follows: list[int] = field(default_factory=list)  # jobs that are not done and have rows of it
    has_followed: bool = False  # rows of it are no items yet, because other jobs have them
    lack: str = ""  # why its items cannot be given what they need
    ungiven: str = ""  # the variables that nobody has, in words: its items fail without being started

    @property
    def id(self) -> int:
        """Its number."""
        return self.row.id

    @property
    def taken(self) -> int:
        """How many of the attempts in hand take a slot."""
        return len(self.in_hand) - len(self.barred)

    @property
    def live(self) -> int:
        """Items that are not terminal."""
        return self.counts["queued"] + self.counts["running"] + self.counts["retrying"]

    @property
    def failed(self) -> int:
        """Items that failed in this round."""
        return self.counts["failed"] - self.before[1]

    @property
    def processed(self) -> int:
        """Items that got their outcome in this round."""
        return self.counts["succeeded"] - self.before[0] + self.failed

    @property
    def stop(self) -> Stop | None:
        """Why nothing more may start, if so."""
        return self.row.stop

    def slots(self, capacity: int) -> int:
        """Most attempts it may run at once."""
        limits = (capacity, self.row.policy.slots, self.room)
        return min(limit for limit in limits if limit is not None)

    def lookahead(self, slots: int) -> int:
        """Attempts to hand over beyond the free slots.

        It starts slowly, stops while the command seems not to exist, and never exceeds the failures still allowed:
        what is handed over can no longer be held back by what the attempts before it turn out to be.
        """
        if self.pace.mean_us is None or self.absent_in_a_row:
            return 0
        least_us, most = kind_of(self.row.handler).ahead
        ahead = int(slots * self.ahead_s * 1e6 / max(self.pace.mean_us, least_us))
        most = max(most, _AHEAD_PER_SLOT * slots)
        return max(0, min(ahead, self.pace.finished, self._failures_left(), most))

    def wants(self, capacity: int) -> int:
        """How many attempts more it may have in hand by its own limits."""
        slots = self.slots(capacity)
        most = slots + self.lookahead(slots) - self.taken
        return min(most, self.counts["queued"] + self.counts["retrying"])

    def _failures_left(self) -> int:
        """How many more may fail before the job stops; a large number if any number may."""
        limit = self.row.policy.max_failures
        return _MOST_AHEAD if limit is None else allowed_failures(limit, self.processed) - self.failed

    def is_open(self, now: int) -> bool:
        """Whether items of it may start at all."""
        return not self.lack and self._is_its_time(now)

    def is_stuck(self, now: int) -> bool:
        """Whether items of it would start if they could be given what they need."""
        return bool(self.lack) and self._is_its_time(now) and not self.is_held_back and self.has_ready(now)

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
        """Whether something will still happen to it without anybody's help."""
        return self.stop is not None or self.live == 0 or self.row.paused_at is None

    @property
    def is_held_back(self) -> bool:
        """Whether a job that it comes after is not done, or ended in a way that this one must not follow."""
        return bool(self.waits_for or self.never)

    @property
    def is_doomed(self) -> bool:
        """Whether it can never start and nobody has stopped it for that yet."""
        return bool(self.never) and self.stop is None and not self.closing

    @property
    def is_over(self) -> bool:
        """Whether its round is to be closed. A job without rows ends in its turn too: others may come after it."""
        if self.live or self.closing or self.has_followed:
            return False
        return self.stop is not None or not self.is_held_back

    def charge(self, keys: Sequence[tuple[int, int]]) -> None:
        """Take attempts in hand and charge what they are expected to use."""
        expected = self.pace.mean_us or UNKNOWN_MEAN_US
        self.in_hand.update(dict.fromkeys(keys, expected))
        self.used_us += expected * len(keys)

    def let_go(self, key: tuple[int, int], used_us: float) -> None:
        """An attempt is over: charge what it really used."""
        self.used_us += used_us - self.in_hand.pop(key)
        self.barred.discard(key)

    def let_go_all(self, keys: list[tuple[int, int]], used_us: float) -> None:
        """The same for many, with what they used together."""
        self.used_us += used_us - sum(map(self.in_hand.pop, keys))

    def has_ready(self, now: int) -> bool:
        """Whether something could start now."""
        return self.counts["queued"] > 0 or (self.next_due is not None and self.next_due <= now)
