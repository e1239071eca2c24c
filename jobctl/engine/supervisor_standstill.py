"""Whether the supervisor stood still: stopped by a signal, frozen with its control group, swapped out, suspended.

It shows when it wakes up much later than it had planned. What ended meanwhile was not late because we were. Of what
still runs nobody can say whether it stood still as well: a batch system stops every process of a job with a signal, a
freezer stops them without one, and Ctrl-Z stops us alone. An item that is judged too early has failed for nothing; one
that went on without us gets no more than the rest of its time once again. So the time since we were last awake counts
for nobody. Leases are the exception: whoever gave one counts on without us.
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
