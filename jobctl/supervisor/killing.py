"""Ending a whole tree of processes: TERM to each of them, a grace, then KILL in rounds until none is left."""

from __future__ import annotations

import contextlib
import math
import os
import signal

from jobctl.process import tree
from jobctl.process.identity import Handle, Tagger, is_dead, stat_fields

_FIRST_ROUND_S = 0.005
_LONGEST_ROUND_S = 0.25
#: A process that survives KILL for this long cannot be killed: it hangs in the kernel or belongs to another user.
_GIVE_UP_S = 5.0
_PPID = 1


class Kill:
    """Ends the processes of one attempt. ``round`` sends the signals that are due; True if any process is left."""

    def __init__(self, serial: int, ending: int | None, now: float, grace_s: float) -> None:
        self.serial = serial
        self.ending = ending
        self.kill_at = now + max(0.0, grace_s)
        self.due = now
        self._pause = _FIRST_ROUND_S
        self._seen: set[int] = set()
        self._give_up_at = math.inf

    def has_seen(self, pid: int) -> bool:
        """True if an earlier round found this process among the descendants."""
        return pid in self._seen

    def hasten(self, kill_at: float) -> None:
        """Send KILL at this time at the latest."""
        if kill_at < self.kill_at:
            self.kill_at = kill_at
            self.due = min(self.due, kill_at)

    def extend_deadline(self, gap_s: float, now: float) -> None:
        """The supervisor stood still for this time, so the processes get the rest of their grace."""
        if self._give_up_at == math.inf and self.kill_at > now - gap_s:
            if self.due == self.kill_at:
                self.due += gap_s
            self.kill_at += gap_s

    def rest(self, until: float) -> None:
        """KILL does not end the processes: pause until this time."""
        self.due = until
        self._give_up_at = math.inf

    def round(self, now: float, roots: list[int], tagger: Tagger, group: int = 0) -> bool:
        """Signal the descendants of the roots, which are unreaped children; False when nothing is left to wait for.

        ``group`` is the process group of the item's leader, for systems where orphans cannot be seen.
        """
        members = tree.descendants(roots)
        if group:
            members += self._hidden(set(members), group, tagger)
        if not members or now > self._give_up_at:
            return False
        if now < self.kill_at:
            self._terminate(members, tagger)
            self.due = self.kill_at
            return True
        if self._give_up_at == math.inf:  # counts from the first KILL: this process may have been stopped before
            self._give_up_at = now + _GIVE_UP_S
        self._seen.update(members)
        for root in roots:
            if _leads_group(root):  # the whole group at once, before any member can fork again
                _signal_group(root, signal.SIGKILL)
        for pid in members:
            self._send(pid, signal.SIGKILL, members, tagger)
        self.due = now + self._pause
        self._pause = min(2 * self._pause, _LONGEST_ROUND_S)
        return True

    def _hidden(self, known: set[int], group: int, tagger: Tagger) -> list[int]:
        """Processes of the attempt that are not found by descent; a group is a negative number."""
        tagged = [pid for pid in tree.all_pids() if pid not in known and tagger.serial_of(pid) == self.serial]
        found = [pid for pid in tagged if not is_dead(pid)]
        return [*found, -group] if tree.group_lives(group) else found

    def _terminate(self, members: list[int], tagger: Tagger) -> None:
        for pid in members:
            if pid not in self._seen:
                self._seen.add(pid)
                self._send(pid, signal.SIGTERM, members, tagger)
                self._send(pid, signal.SIGCONT, members, tagger)  # a stopped process would not act on TERM

    def _send(self, pid: int, number: int, members: list[int], tagger: Tagger) -> None:
        if pid < 0:
            _signal_group(-pid, number)
            return
        try:
            handle = Handle(pid)
        except OSError:
            return
        try:
            # Checked while the handle is open. Before that, the pid could have passed to another process.
            if tagger.serial_of(pid) == self.serial or _has_parent_in(pid, members):
                handle.send(number)
        finally:
            handle.close()


def _has_parent_in(pid: int, members: list[int]) -> bool:
    fields = stat_fields(pid)
    return fields is not None and (int(fields[_PPID]) in members or int(fields[_PPID]) == os.getpid())


def _leads_group(pid: int) -> bool:
    try:
        return os.getpgid(pid) == pid
    except ProcessLookupError:
        return False


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
