"""Processes of a dead supervisor that this one cannot end. Only their items wait until they are gone."""

from __future__ import annotations

import contextlib
import select
import signal
from collections.abc import Callable

from jobctl.process import leaders
from jobctl.process.evidence import Evidence, FoundProcess
from jobctl.process.identity import Handle, name_of
from jobctl.process.leaders import Leaders
from jobctl.process.sweep import find
from jobctl.supervisor.pressure import NEVER
from jobctl.supervisor.protocol import wire

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

    from jobctl.supervisor.running import AttemptId

#: The processes are examined and killed again after this time: some have no pidfd, and others may have forked since.
_LOOK_AGAIN_S = 10.0
_MOST_NAMED = 5


class BarredAttempts:
    """Attempts of a dead supervisor that may still run. Each is reported as lost when its last process is gone."""

    def __init__(self, store_id: str, place: str, table: Leaders, left: list[FoundProcess]) -> None:
        """Raises LookupError when a process cannot be ended and no evidence says which items it belongs to."""
        self.due = NEVER
        self._store_id = store_id
        self._place = place
        self._table = table
        self._attempts: dict[AttemptId, list[FoundProcess]] = {}
        self._handles: dict[int, Handle] = {}
        self._lost: set[AttemptId] = set()  # reported as lost, not acknowledged
        self._poll: select.poll
        all_attempts = {entry.attempt for entry in table.before}
        for found in left:
            for attempt in (found.attempt,) if found.attempt else all_attempts:
                self._attempts.setdefault(attempt, []).append(found)
        if left and not self._attempts:
            raise LookupError(", ".join(str(found.pid) for found in left))
        table.drop_before({entry.place for entry in table.before if entry.attempt in self._attempts})
        self._record()

    def _record(self) -> None:
        for entry in self._table.before:
            pids = [found.pid for found in self._attempts.get(entry.attempt, ())]
            self._table.turn(entry.place, leaders.BARRED, pids)

    def watch(self, poll: select.poll, now: float) -> None:
        """Register these processes with the poll, so that the end of one wakes the supervisor."""
        self._poll = poll
        for found in {found for each in self._attempts.values() for found in each}:
            with contextlib.suppress(OSError):
                handle = Handle(found.pid)
                handle.send(signal.SIGKILL)
                if handle.fileno() < 0:
                    continue
                self._handles[handle.fileno()] = handle
                poll.register(handle.fileno(), select.POLLIN)
        self.due = now + _LOOK_AGAIN_S if self._attempts else NEVER

    def is_watched(self, fd: int) -> bool:
        """True if a descriptor is that of one of these processes."""
        return fd in self._handles

    def look(self, now: float, tell: Callable[[int, Any], None]) -> None:
        """Examine the processes that are left, and report which attempts are over."""
        for fd, handle in self._handles.items():
            self._poll.unregister(fd)
            handle.close()
        self._handles.clear()
        left: dict[AttemptId, list[FoundProcess]] = {}
        for found in find(Evidence(self._store_id, self._place)):
            if found.attempt is not None and found.attempt in self._attempts:
                left.setdefault(found.attempt, []).append(found)
        for attempt in self._attempts.keys() - left.keys():
            self._lost.add(attempt)
            tell(wire.LOST, attempt)
        self._attempts = left
        self._table.drop_before({entry.place for entry in self._table.before if entry.attempt in left})
        self._record()
        self.watch(self._poll, now)

    def ids(self) -> list[AttemptId]:
        """The attempts that the engine must count as running."""
        return [*self._attempts, *self._lost]

    def tell_again(self, tell: Callable[[int, Any], None]) -> None:
        """Report everything to an engine that has just started."""
        if self._attempts:
            tell(wire.BARRED, list(self._attempts))
        for attempt in self._lost:
            tell(wire.LOST, attempt)

    def acknowledge(self, ids: list[AttemptId]) -> None:
        """The engine has recorded these attempts."""
        self._lost.difference_update(ids)

    def sentences(self) -> list[str]:
        """One sentence about each attempt, for the log."""
        return [_sentence(attempt, found) for attempt, found in self._attempts.items()]


def _sentence(attempt: AttemptId, left: list[FoundProcess]) -> str:
    named = ", ".join(f"{found.pid} {name_of(found.pid)}" for found in left[:_MOST_NAMED])
    more = f" and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
    return f"item {attempt[0]}.{attempt[1]} does not start: an earlier attempt cannot be ended: {named}{more}"
