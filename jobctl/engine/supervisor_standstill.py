"""Whether the supervisor stood still: stopped by a signal, frozen with its control group, swapped out, suspended.

It shows when it wakes up much later than it had planned. What ended meanwhile was not late because we were. Of what
still runs there are two cases. A process that was stopped alone (SIGSTOP) gets a SIGCONT: everything else went on, and
is judged by its own running time. Otherwise the items most likely stood still as well, and the time since we were last
awake counts for nobody. Leases are the exception: whoever gave one counts on without us.
"""

from __future__ import annotations

from jobctl.engine.supervisor_pressure import NEVER

#: A busy machine wakes us later than planned, too, but by less.
_LATE_S = 1.0


class Standstill:
    """When this process was last awake, and when it had planned to be awake again."""

    def __init__(self, now: float) -> None:
        self._awake_at = now
        self._planned = NEVER

    def plan(self, wake_at: float) -> None:
        """This process waits until something happens, and no longer than that."""
        self._planned = max(wake_at, self._awake_at)

    def gap_s(self, now: float) -> float:
        """This process is awake: how long it may have stood still, or 0."""
        gap_s = now - self._awake_at if now > self._planned + _LATE_S else 0.0
        self._awake_at = now
        return gap_s
