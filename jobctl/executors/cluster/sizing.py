"""How many attempts travel in one message: as many as make a tenth of a second, by what they took so far.

A message costs the cluster some milliseconds wherever it is spent, so short attempts share one. A pack is one slot's,
and what waits in it cannot be given to another slot, so a pack is never longer than it must be, and never more than a
fair share of what waits. It must be as long as the scheduler needs to serve every other slot once.
"""

from __future__ import annotations

#: A pack is to keep a slot busy for so long.
PACK_US = 100_000.0
#: What the scheduler needs for a message; with more slots than go into ``PACK_US`` packs are longer.
MESSAGE_US = 3_000.0
MAX_ITEMS = 500
MAX_BYTES = 1 << 20
_WEIGHT = 0.2


class MeanDuration:
    """What the attempts of a job take, smoothed; nothing is known before the first has ended."""

    def __init__(self) -> None:
        self.mean_us: float | None = None

    def add(self, duration_us: float) -> None:
        """One more has ended."""
        self.mean_us = duration_us if self.mean_us is None else self.mean_us + _WEIGHT * (duration_us - self.mean_us)


def pack_us(slots: int) -> float:
    """How long a pack should keep a slot busy, of so many."""
    return max(PACK_US, slots * MESSAGE_US)


class PackRoom:
    """What is left of one pack while it is filled."""

    def __init__(self, share: int, slots: int) -> None:
        """``share`` = most attempts it may take; ``slots`` of the whole cluster."""
        self._items = min(share, MAX_ITEMS)
        self._us = pack_us(slots)
        self._bytes = MAX_BYTES

    def spend(self, mean_us: float | None, size: int, *, alone: bool) -> bool:
        """An attempt went in; whether there is room for another. One of unknown length, or ``alone``, closes it."""
        self._items -= 1
        self._bytes -= size
        self._us = 0.0 if mean_us is None or alone else self._us - max(mean_us, 1.0)
        return self._items > 0 and self._bytes > 0 and self._us > 0
