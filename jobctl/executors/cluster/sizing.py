"""Chooses the number of attempts in one message: as many as take a tenth of a second, by the durations so far.

A message costs the cluster some milliseconds, so short attempts share one. A pack belongs to one slot, and attempts
that wait in it cannot move to another slot. So a pack is never longer than necessary, and never more than a fair share
of the waiting attempts. It must last as long as the scheduler needs to serve every other slot once.
"""

from __future__ import annotations

#: The time for which a pack should keep its slot busy.
PACK_US = 100_000.0
#: The time of the scheduler for a message. With more slots than it can serve within ``PACK_US``, packs are longer.
MESSAGE_US = 3_000.0
MAX_ITEMS = 500
MAX_BYTES = 1 << 20
_WEIGHT = 0.2


class MeanDuration:
    """The smoothed duration of a job's attempts; None before the first has ended."""

    def __init__(self) -> None:
        self.mean_us: float | None = None

    def add(self, duration_us: float) -> None:
        """Include the duration of an attempt that has ended."""
        self.mean_us = duration_us if self.mean_us is None else self.mean_us + _WEIGHT * (duration_us - self.mean_us)


def pack_us(slots: int) -> float:
    """The time for which a pack should keep its slot busy, in a cluster of this number of slots."""
    return max(PACK_US, slots * MESSAGE_US)


class PackRoom:
    """The room that is left in a pack while it is filled."""

    def __init__(self, share: int, slots: int) -> None:
        """``share``: how many attempts the pack may take at most; ``slots``: of the whole cluster."""
        self._items = min(share, MAX_ITEMS)
        self._us = pack_us(slots)
        self._bytes = MAX_BYTES

    def spend(self, mean_us: float | None, size: int, *, alone: bool) -> bool:
        """Put an attempt in; True if there is room for another. An unknown duration, or ``alone``, fills the pack."""
        self._items -= 1
        self._bytes -= size
        self._us = 0.0 if mean_us is None or alone else self._us - max(mean_us, 1.0)
        return self._items > 0 and self._bytes > 0 and self._us > 0
