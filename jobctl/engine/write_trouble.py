"""Remembers a failed commit, its reason, and the time of the next try."""

from __future__ import annotations

#: The time between a failed commit (a full disk, an input/output error) and the next try, in microseconds.
PAUSE_US = 1_000_000


class WriteTrouble:
    """The reason why the last commit failed; empty after one that succeeded."""

    def __init__(self) -> None:
        self.reason = ""
        self._until = 0

    def begin(self, reason: str, now: int) -> None:
        """A commit failed at this moment."""
        self.reason = reason
        self._until = now + PAUSE_US

    def end(self) -> None:
        """A commit succeeded."""
        self.reason = ""

    def try_now(self) -> None:
        """Do not wait for the next try."""
        self._until = 0

    def is_pausing(self, now: int) -> bool:
        """True if a commit failed a moment ago. A moment further away was set by a clock that has changed since."""
        return now < self._until <= now + PAUSE_US

    def left_us(self, now: int) -> int:
        """Microseconds until the next try."""
        return self._until - now

    def shift(self, by: int) -> None:
        """The wall clock was set by this many microseconds."""
        self._until += by
