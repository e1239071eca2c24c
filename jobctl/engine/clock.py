"""The wall clock may be set while jobs wait. What was given as a duration stays one."""

from __future__ import annotations

import time

#: Less than this is the clock being kept right, not being set.
_JUMP_US = 1_000_000
#: Goes on while the machine sleeps, so waking up is no jump.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def steady_us() -> int:
    """A clock that nobody sets, microseconds."""
    return time.clock_gettime_ns(_STEADY) // 1_000


class WallClock:
    """Notices that the wall clock was set, by a clock that cannot be."""

    def __init__(self, now: int, steady: int) -> None:
        self._ahead = now - steady

    def jumped(self, now: int, steady: int) -> int:
        """By how much it was set since the last call, microseconds; 0 = it was not."""
        before, self._ahead = self._ahead, now - steady
        jump = self._ahead - before
        return jump if abs(jump) >= _JUMP_US else 0
