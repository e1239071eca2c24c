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
    #: Finds the serials of the attempts that an orphan, by its pid, may belong to: one, several, or none.
    FindCandidates = Callable[[int], Collection[int]]


class Orphans:
    """``pids`` maps every known orphan to the serial of its attempt."""

    def __init__(self, tagger: identity.Tagger) -> None:
        self.pids: dict[int, int] = {}
        self._tagger = tagger
        self._children = tree.Children()
        #: True if every survivor of an item is found. If not, only its process group is examined.
        self.exact = self._children.is_available
        #: Processes that nothing can end, and children that this process had before it became the supervisor.
        self._abandoned: set[int] = set(self._children.pids()) if self.exact else set()
        self._candidates: dict[int, set[int]] = {}  # by pid of an UNKNOWN orphan

    def look(self, expected: int, is_ours: Callable[[int], bool], find_candidates: FindCandidates) -> list[int]:
        """Orphans that were not seen before; ``pids`` then has their serials.

        ``expected`` children satisfy ``is_ours`` and are not orphans. ``find_candidates`` is called where tags fail.
        """
        if not self.exact or self._children.count() == expected + len(self.pids) + len(self._abandoned):
            return []
        found: list[int] = []
        reaped: set[int] = set()
        complete = False
        while not complete:
            complete = True
            pids = self._children.pids()
            self._abandoned.intersection_update(pids)
            for pid in pids:
                if pid in self.pids or pid in self._abandoned or is_ours(pid) or pid in reaped:
                    continue
                if _reap_if_ended(pid):
                    reaped.add(pid)
                    complete = False  # its children became orphans at its end, too late for this list
                else:
                    self.pids[pid] = self._serial_of(pid, find_candidates)
                    found.append(pid)
        return found

    def _serial_of(self, pid: int, find_candidates: FindCandidates) -> int:
        serial = self._tagger.serial_of(pid)
        if serial is not None:
            return serial
        candidates = set(find_candidates(pid))
        if len(candidates) > 1:
            self._candidates[pid] = candidates
            return UNKNOWN
        return candidates.pop() if candidates else NOBODY

    def narrow(self, live_serials: Collection[int]) -> None:
        """Drop attempts that are over from the candidates of every orphan; ``live_serials`` has all others."""
        for pid, candidates in list(self._candidates.items()):
            candidates.intersection_update(live_serials)
            if self.pids.get(pid) != UNKNOWN:
                del self._candidates[pid]
            elif len(candidates) <= 1:
                self.pids[pid] = candidates.pop() if candidates else NOBODY
                del self._candidates[pid]

    def ended(self, pid: int) -> int | None:
        """A process was reaped: the serial of its attempt, None if it was not known as an orphan."""
        self._candidates.pop(pid, None)
        self._abandoned.discard(pid)
        return self.pids.pop(pid, None)

    def abandon(self, pid: int) -> None:
        """Stop waiting for a process that nothing can end."""
        if self.pids.pop(pid, None) is not None:
            self._abandoned.add(pid)

    def of(self, serial: int) -> list[int]:
        """The orphans of one attempt."""
        return [pid for pid, owner in self.pids.items() if owner == serial]


def _reap_if_ended(pid: int) -> bool:
    """Reap an orphan if it has ended since the last look; True if it has."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True
