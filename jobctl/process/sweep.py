"""Ends the processes that a dead supervisor left. They are found by evidence, never by a remembered pid alone."""

from __future__ import annotations

import os
import select
import signal
import time

from jobctl.process import tree
from jobctl.process.evidence import Evidence, FoundProcess
from jobctl.process.identity import Handle, start_time

#: Short, because these items run again anyway, and nothing runs before their processes are gone.
_GRACE_S = 1.0
#: A process that survives KILL for this long cannot be killed.
_KILL_S = 10.0
_PAUSE_S = 0.2
#: The most searches on a machine where processes start and end all the time.
_MOST_SEARCHES = 20


def sweep(store_id: str, grace_s: float = _GRACE_S, *, folder: str = "") -> list[FoundProcess]:
    """End every item and every other engine of a store: TERM, then KILL after ``grace_s``, until none is left.

    Call it only while no supervisor of the store lives. ``folder`` is the folder of the store, '' if it has none: its
    records find processes that have dropped their tag. Returns the processes that could not be ended, normally none.
    """
    evidence = Evidence(store_id, folder)
    began = time.monotonic()
    while left := find(evidence):
        now = time.monotonic()
        if now > began + grace_s + _KILL_S:
            return left
        politely = now < began + grace_s
        ours = _end(
            left,
            signal.SIGTERM if politely else signal.SIGKILL,
            began + grace_s - now if politely else _PAUSE_S,
        )
        if not ours:  # all pids now belong to other users
            return find(evidence)
    evidence.forget_group()
    return []


def leftovers(store_id: str, *, folder: str = "") -> list[int]:
    """Pids of living items and engines of a store; while no supervisor of it lives, a dead one has left them."""
    return [found.pid for found in find(Evidence(store_id, folder))]


def find(evidence: Evidence) -> list[FoundProcess]:
    """Living processes of a store without this one.

    A process that forks and ends between the list and the examination leaves a child that neither shows. So an empty
    result counts only if no process on the list has ended in between.
    """
    for _ in range(_MOST_SEARCHES):
        listed = tree.all_pids()
        found = evidence.find()
        if found or not set(listed).difference(tree.all_pids()):
            return found
    return []


def _end(left: list[FoundProcess], number: int, patience_s: float) -> bool:
    """Signal processes, then wait until all are gone or the patience is over; True if any could be signalled."""
    poll = select.poll()
    handles: dict[int, Handle] = {}
    any_ours = False
    for found in left:
        try:
            handle = Handle(found.pid)
        except OSError:
            any_ours = True  # it has just ended: look again
            continue
        # Checked while the handle is open: before, the pid could have passed to another process.
        is_same = start_time(found.pid) == found.started
        refused = is_same and handle.is_refused()
        any_ours = any_ours or not refused
        if is_same and handle.send(number) and handle.fileno() >= 0:
            handle.send(signal.SIGCONT)
            handles[handle.fileno()] = handle
            poll.register(handle.fileno(), select.POLLIN)
        else:
            handle.close()
    _wait(poll, handles, patience_s)
    return any_ours


def _wait(poll: select.poll, handles: dict[int, Handle], patience_s: float) -> None:
    until = time.monotonic() + max(0.0, patience_s)
    while handles and (ready := poll.poll(max(0.0, until - time.monotonic()) * 1000)):
        for fd, _ in ready:
            poll.unregister(fd)
            handles.pop(fd).close()
    for handle in handles.values():
        handle.close()


def has_ended(found: FoundProcess) -> bool:
    """True if a process that ``find`` returned is gone."""
    return start_time(found.pid) != found.started or not os.path.exists(f"/proc/{found.pid}")
