"""Records that the machine has no room for processes or files, and when to try again."""

from __future__ import annotations

import math

#: A time that never comes.
NEVER = math.inf
#: The key of the whole machine, instead of a job number.
MACHINE = 0

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 5.0


class PressureState:
    """Reasons of a job (its output files cannot be opened) and of the machine (no process can be started)."""

    def __init__(self) -> None:
        self.retry_at = NEVER
        self._reasons: dict[int, str] = {}
        self._pause_s = _FIRST_PAUSE_S

    def __bool__(self) -> bool:
        return bool(self._reasons)

    def __str__(self) -> str:
        """All reasons; empty without any."""
        return "; ".join(sorted(set(self._reasons.values())))

    @property
    def stops_everything(self) -> bool:
        """True if nothing can be started until ``retry_at``."""
        return MACHINE in self._reasons and self.retry_at != NEVER

    def add(self, key: int, reason: str, now: float) -> bool:
        """Record a refusal and plan the next try, later each time; True if the reason is new."""
        self.retry_at = now + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        is_news = self._reasons.get(key) != reason
        self._reasons[key] = reason
        return is_news

    def drop(self, key: int) -> bool:
        """Remove a reason, because it works again; True if it did not before."""
        is_news = self._reasons.pop(key, None) is not None
        if not self._reasons:
            self._pause_s = _FIRST_PAUSE_S
            self.retry_at = NEVER
        return is_news

    def hurry(self) -> None:
        """Try again at once: something ended, so there may be room."""
        if self._reasons:
            self.retry_at = 0.0

    def try_again(self) -> list[int]:
        """The time to retry has come: the jobs that may try again."""
        self.retry_at = NEVER
        return [job for job in self._reasons if job != MACHINE]
