"""Notices that the supervisor did not run: stopped by a signal, frozen with its control group, swapped out, suspended.

The sign is that it wakes up much later than planned. Items that ended in the meantime were not late. It is unknown
whether the items that still run stood still as well: a batch system stops every process of a job with a signal, a
freezer stops them without one, and Ctrl-Z stops only the supervisor. An item that is ended too early fails without
a reason; an item that continued gets at most its limit once more. So the time since the supervisor was last awake
counts for no item. Leases are the exception, because the giver of a lease continues to count.
"""

from __future__ import annotations

from jobctl.supervisor.pressure import NEVER

#: A busy machine also wakes this process later than planned, but by less than this.
_LATE_S = 1.0


class Standstill:
    """The time when this process was last awake, and the time when it had planned to wake up."""

    def __init__(self, now: float) -> None:
        self._awake_at = now
        self._planned = NEVER

    def plan(self, wake_at: float) -> None:
        """This process waits until something happens, but not longer than until ``wake_at``."""
        self._planned = max(wake_at, self._awake_at)

    def gap_s(self, now: float) -> float:
        """This process is awake: return the time for which it may have stood still, or 0."""
        gap_s = now - self._awake_at if now > self._planned + _LATE_S else 0.0
        self._awake_at = now
        return gap_s
