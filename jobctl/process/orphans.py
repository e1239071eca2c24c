"""Processes that outlived their parent: the kernel hands them to us, and their tag says whose they were.

An item whose leader is gone while one of these carries its serial has left something behind. Nothing else can
still write to the item's files, so a look at the list of our own children (1-2 µs) is the whole test.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from jobctl.process import identity, tree

#: Serial of an orphan that cannot be attributed (only where tags do not work).
UNKNOWN = -1


class Orphans:
    """``pids`` maps every known orphan to the serial of its attempt."""

    def __init__(self, tagger: identity.Tagger) -> None:
        self.pids: dict[int, int] = {}
        self._abandoned: set[int] = set()
        self._tagger = tagger
        self._children = tree.Children()
        #: Whether a survivor of an item is sure to be found; if not, only its process group is looked at.
        self.exact = self._children.cheap

    def look(
        self, expected: int, is_ours: Callable[[int], bool], serial_of: Callable[[bytes], int | None]
    ) -> list[int]:
        """Orphans not seen before; ``pids`` says whose.

        ``expected`` children satisfy ``is_ours`` and are no orphans; ``serial_of`` a cookie is asked where tags fail.
        """
        if not self.exact or self._children.count() == expected + len(self.pids) + len(self._abandoned):
            return []
        found = []
        pids = self._children.pids()
        self._abandoned.intersection_update(pids)
        for pid in pids:
            if pid not in self.pids and pid not in self._abandoned and not is_ours(pid) and not _is_over(pid):
                self.pids[pid] = self._attribute(pid, serial_of)
                found.append(pid)
        return found

    def _attribute(self, pid: int, serial_of: Callable[[bytes], int | None]) -> int:
        serial = self._tagger.serial_of(pid)
        if serial is not None:
            return serial
        cookie = identity.environment_value(pid, b"JOBCTL_COOKIE")
        known = None if cookie is None else serial_of(cookie)
        return UNKNOWN if known is None else known

    def abandon(self, pid: int) -> None:
        """Nothing can end it: do not wait for it any more."""
        if self.pids.pop(pid, None) is not None:
            self._abandoned.add(pid)

    def of(self, serial: int) -> list[int]:
        """The orphans of one attempt."""
        return [pid for pid, owner in self.pids.items() if owner == serial]


def _is_over(pid: int) -> bool:
    """Reap an orphan that has ended since the last look."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True
