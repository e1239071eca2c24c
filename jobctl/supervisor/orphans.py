"""Processes that outlived their parent. The kernel makes them children of the supervisor.

If the leader of an item is gone and an orphan belongs to the item, the item has left a process behind. Only such
orphans can still write to the item's files, so one look at the list of children (1-2 µs) is the whole test.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection

from jobctl.process import identity, tree

#: Serial of an orphan that may belong to one of several items, and of an orphan that belongs to none.
UNKNOWN = -1
NOBODY = -2

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    #: Serials of the attempts that an orphan may belong to: one, several, or none.
    Attribute = Callable[[int], Collection[int]]


class Orphans:
    """``pids`` maps every known orphan to the serial of its attempt."""

    def __init__(self, tagger: identity.Tagger) -> None:
        self.pids: dict[int, int] = {}
        self._tagger = tagger
        self._children = tree.Children()
        #: True if every survivor of an item is found. If not, only its process group is examined.
        self.exact = self._children.cheap
        #: Processes that nothing can end, and children that this process had before it became the supervisor.
        self._abandoned: set[int] = set(self._children.pids()) if self.exact else set()
        self._may_be: dict[int, set[int]] = {}  # by pid of an UNKNOWN orphan

    def look(self, expected: int, is_ours: Callable[[int], bool], attribute: Attribute) -> list[int]:
        """Orphans that were not seen before; ``pids`` then has their serials.

        ``expected`` children satisfy ``is_ours`` and are not orphans. ``attribute`` is called where tags fail.
        """
        if not self.exact or self._children.count() == expected + len(self.pids) + len(self._abandoned):
            return []
        found: list[int] = []
        over: set[int] = set()
        complete = False
        while not complete:
            complete = True
            pids = self._children.pids()
            self._abandoned.intersection_update(pids)
            for pid in pids:
                if pid in self.pids or pid in self._abandoned or is_ours(pid) or pid in over:
                    continue
                if _is_over(pid):
                    over.add(pid)
                    complete = False  # its children became orphans at its end, too late for this list
                else:
                    self.pids[pid] = self._attribute(pid, attribute)
                    found.append(pid)
        return found

    def _attribute(self, pid: int, attribute: Attribute) -> int:
        serial = self._tagger.serial_of(pid)
        if serial is not None:
            return serial
        may_be = set(attribute(pid))
        if len(may_be) > 1:
            self._may_be[pid] = may_be
            return UNKNOWN
        return may_be.pop() if may_be else NOBODY

    def narrow(self, living: Collection[int]) -> None:
        """Only these attempts are not over: an orphan may belong to no other."""
        for pid, may_be in list(self._may_be.items()):
            may_be.intersection_update(living)
            if self.pids.get(pid) != UNKNOWN:
                del self._may_be[pid]
            elif len(may_be) <= 1:
                self.pids[pid] = may_be.pop() if may_be else NOBODY
                del self._may_be[pid]

    def ended(self, pid: int) -> int | None:
        """A process was reaped: the serial of its attempt, None if it was not known as an orphan."""
        self._may_be.pop(pid, None)
        self._abandoned.discard(pid)
        return self.pids.pop(pid, None)

    def abandon(self, pid: int) -> None:
        """Stop waiting for a process that nothing can end."""
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
