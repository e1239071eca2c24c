"""Finds out if an attempt failed because a disk was full. Its message alone does not prove it, nor does a full disk."""

from __future__ import annotations

import os
from collections.abc import Sequence

from jobctl.config import Home
from jobctl.domain.endings import Ending
from jobctl.domain.ports import Finished
from jobctl.process import space

#: The words of programs, languages and systems for a full disk, in lower case.
_WORDS = (
    "no space left on device",
    "disk quota exceeded",
    "enospc",
    "edquot",
    "errno 28]",
    "os error 28",
    "disk is full",
    "disk full",
    "not enough space",
    "not enough room",
    "out of disk space",
)
_OWN_ENDINGS = frozenset((Ending.EXITED, Ending.RAISED))


class Disks:
    """The file systems that the outputs of items need, and when each was last full."""

    def __init__(self, home: Home) -> None:
        self._places = tuple(map(os.fspath, home.output_places))
        self._logs = os.fspath(home.logs)
        self._full_at: dict[str, int] = {}

    def look(self, now: int) -> None:
        """Note the disks that are full now, because room may be made before the item ends."""
        for place in self._places:
            if space.is_full(place):
                self._full_at[place] = now

    def full_at_failure(self, f: Finished, message: str, cwd: str) -> str:
        """Name the full disk that made an attempt fail, with figures; empty without evidence.

        If the message of an attempt says that it had no room, a disk that it writes to must be full as well. If it
        wrote nothing to stderr, perhaps because it could not, the disk of its own output must be full.
        """
        if f.ending not in _OWN_ENDINGS or f.host:
            return ""
        if any(word in message.lower() for word in _WORDS):
            return self._short((*self._places, cwd, "/tmp"), f.started_at)  # noqa: S108 - looked at, not used
        if not f.err_len and f.raised is None:
            return self._full((self._logs,), f.started_at)
        return ""

    def _short(self, places: Sequence[str], since: int) -> str:
        return space.shortage(*places) or self._full(places, since)

    def _full(self, places: Sequence[str], since: int) -> str:
        for place in places:
            if space.is_full(place):
                return space.free_text(place)
            if self._full_at.get(place, -1) >= since:
                return f"there was no room in {place}"
        return ""
