"""Measures how fast a job progresses."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Older events count less: after these seconds, and after this number of items that got their outcome.
_RATE_WINDOW_S = 30.0
_RATE_WINDOW_ITEMS = 20.0
_MEAN_WEIGHT = 0.05


@dataclass(slots=True)
class Pace:
    """Smoothed figures of a job: items per second, duration of an attempt.

    The rate is the number of items that got their outcome, divided by the time in which the job could make progress.
    Both fade: after half a minute, but never so fast that fewer than about the last twenty items count. So the rate is
    good for items of an hour and for items of a millisecond, and a rest (a pause, a wait for retries) does not change
    it.
    """

    mean_us: float | None = None
    finished: int = 0
    _items: float = 0.0
    _seconds: float = 0.0
    _at: int | None = None  # the time before this moment is counted

    def add(self, count: int, total_us: int) -> None:
        """Take in attempts that ended: how many and how long they took together."""
        if not count:
            return
        average = max(1.0, total_us / count)  # a call may take less than a microsecond
        self.finished += count
        share = max(1 - (1 - _MEAN_WEIGHT) ** count, count / self.finished)
        self.mean_us = average if self.mean_us is None else self.mean_us + share * (average - self.mean_us)

    @property
    def is_new(self) -> bool:
        """True if its time has not begun."""
        return self._at is None

    def rest(self, now: int) -> None:
        """Nothing runs and nothing could run: the time since the last event does not count."""
        self._at = now

    def shift(self, by: int) -> None:
        """The wall clock was set by this many microseconds."""
        self._at = None if self._at is None else self._at + by

    def processed(self, count: int, now: int) -> None:
        """Take in items that got their outcome; 0 if another attempt follows each one that ended."""
        passed_s = 0.0 if self._at is None else max(0, now - self._at) / 1e6
        self._at = now
        weight = math.exp(-min(passed_s / _RATE_WINDOW_S, count / _RATE_WINDOW_ITEMS))
        self._items = self._items * weight + count
        self._seconds = self._seconds * weight + passed_s

    def rate_per_s(self) -> float | None:
        """Items per second, smoothed; None in the first second."""
        if self._seconds < 1.0 or not self._items:
            return None
        return self._items / self._seconds
