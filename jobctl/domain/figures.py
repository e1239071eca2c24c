"""Figures of a job that are kept as its attempts settle: the durations, and the number of items that ended over time.

Both stay small for a job of any size. Durations are counted in classes that are 4.4 % wide. The course of a round has
at most ``MAX_BUCKETS`` spans of time, whose length doubles when the last one is full. So they cost the same for ten
items and for ten million, and commands show them without reading the items.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

#: Classes for each doubling of the duration: a percentile is right within 2.5 %.
_FINE = 16
#: The number of spans in a course, and the first length of each.
MAX_BUCKETS = 240
FIRST_BUCKET_US = 250_000
#: The number of slowest items that are kept by name.
SLOWEST = 5


def class_of(us: int) -> int:
    """The class of a duration in microseconds; longer durations have higher classes."""
    return int(math.log2(us) * _FINE) if us > 1 else 0


def _floor(index: int) -> float:
    """The shortest duration of a class, microseconds."""
    return float(2 ** (index / _FINE))


class Slow(NamedTuple):
    """An attempt that took long."""

    duration_us: int
    item: int
    attempt: int


@dataclass(slots=True)
class Durations:
    """The durations of attempts in all rounds."""

    count: int = 0
    total_us: int = 0
    max_us: int = 0
    classes: Counter[int] = field(default_factory=Counter)
    slowest: list[Slow] = field(default_factory=list)  # the longest first

    def add(self, durations_us: Iterable[int]) -> None:
        """Add attempts that ended."""
        taken = list(durations_us)
        if not taken:
            return
        self.count += len(taken)
        self.total_us += sum(taken)
        self.max_us = max(self.max_us, *taken)
        for duration_us, count in Counter(taken).items():
            self.classes[class_of(duration_us)] += count

    @property
    def slow_us(self) -> int:
        """An attempt that took longer than this is one of the slowest so far; microseconds."""
        return self.slowest[-1].duration_us if len(self.slowest) >= SLOWEST else -1

    def rank(self, attempts: Iterable[Slow]) -> None:
        """Add attempts by name. Among equal durations the first stays, and of each item the slowest attempt."""
        by_length = sorted([*self.slowest, *attempts], key=lambda slow: -slow.duration_us)
        of_items: dict[int, Slow] = {}
        for slow in by_length:
            of_items.setdefault(slow.item, slow)
        self.slowest = list(of_items.values())[:SLOWEST]

    def percentile_us(self, share: float) -> int | None:
        """The duration that this share of the attempts did not exceed, microseconds; None without attempts."""
        if not self.count:
            return None
        left = max(1, math.ceil(share * self.count))
        for index in sorted(self.classes):
            left -= self.classes[index]
            if left <= 0:
                return min(round(_floor(index) * 2 ** (0.5 / _FINE)), self.max_us)
        return self.max_us

    def bins(self, limit: int) -> Iterator[tuple[float, float, int]]:
        """(from, below, attempts) of neighbouring classes, microseconds, ascending, without gaps, about ``limit``."""
        if not self.count:
            return
        first, last = min(self.classes), max(self.classes)
        each = 1
        while last // each - first // each >= limit:
            each *= 2
        counts: Counter[int] = Counter()
        for index, count in self.classes.items():
            counts[index // each] += count
        for position in range(first // each, last // each + 1):
            low, high = _floor(position * each), _floor((position + 1) * each)
            yield low, high, counts[position]

    def to_json(self) -> dict[str, Any]:
        """The value as it is stored."""
        classes = sorted(self.classes.items())
        return {
            "count": self.count,
            "total_us": self.total_us,
            "max_us": self.max_us,
            "classes": classes,
            "slowest": self.slowest,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Durations:
        """Read the value that ``to_json`` returned."""
        classes = Counter(dict(stored["classes"]))
        slowest = [Slow(*each) for each in stored.get("slowest", ())]  # stores of before do not have it
        return cls(stored["count"], stored["total_us"], stored["max_us"], classes, slowest)


@dataclass(slots=True)
class Course:
    """The number of items that got their outcome in each span of time of the present round."""

    round: int
    from_at: int = 0  # microseconds UTC; 0 = nothing yet
    bucket_us: int = FIRST_BUCKET_US
    succeeded: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)

    def begin(self, at: int) -> None:
        """Note the beginning of the round, unless it is known already."""
        self.from_at = self.from_at or at

    def add(self, succeeded: int, failed: int, now: int) -> None:
        """Add items that got their outcome. If the clock went backwards, they count for the beginning."""
        self.begin(now)
        position = max(0, now - self.from_at) // self.bucket_us
        while position >= MAX_BUCKETS:
            self._widen()
            position //= 2
        missing = position + 1 - len(self.succeeded)
        if missing > 0:
            self.succeeded += [0] * missing
            self.failed += [0] * missing
        self.succeeded[position] += succeeded
        self.failed[position] += failed

    def _widen(self) -> None:
        self.bucket_us *= 2
        for name in ("succeeded", "failed"):
            old = getattr(self, name)
            setattr(self, name, [sum(old[n : n + 2]) for n in range(0, len(old), 2)])

    def to_json(self) -> dict[str, Any]:
        """The value as it is stored."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Course:
        """Read the value that ``to_json`` returned."""
        return cls(**stored)
