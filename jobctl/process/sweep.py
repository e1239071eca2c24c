"""Ending what a dead supervisor left behind: found by evidence, never by a remembered number alone."""

from __future__ import annotations

import os
import select
import signal
import time

from jobctl.process import tree
from jobctl.process.evidence import Evidence, FoundProcess
from jobctl.process.identity import Handle, start_time

#: They are run again anyway, and nothing runs before they are gone.
_GRACE_S = 1.0
#: After this long of KILL, what is left cannot be killed.
_ROUNDS_S = 10.0
_PAUSE_S = 0.2
#: On a machine where processes come and go all the time: enough is enough.
_LOOKS = 20


def sweep(store_id: str, grace_s: float = _GRACE_S, *, place: str = "") -> list[FoundProcess]:
    """End every item and every other engine of a store: TERM, then KILL after ``grace_s``, until none is left.

    Call it only while no supervisor of the store lives. ``place`` is the folder of the store, where it has one: what
    dropped its tag is found by what is recorded there. Returns what could not be ended (normally nothing).
    """
    evidence = Evidence(store_id, place)
    began = time.monotonic()
    while left := find(evidence):
        now = time.monotonic()
        if now > began + grace_s + _ROUNDS_S:
            return left
        politely = now < began + grace_s
        ours = _end(
            left,
            signal.SIGTERM if politely else signal.SIGKILL,
            began + grace_s - now if politely else _PAUSE_S,
        )
        if not ours:  # all of them are somebody else's now
            return find(evidence)
    evidence.forget_group()
    return []


def guests_of(store_id: str) -> str:
    """Names what the guests of a store's engine run."""
    return f"{store_id}.guests"


def leftovers(store_id: str, *, place: str = "") -> list[int]:
    """Living items and engines of a store; while no supervisor of it lives, what a dead one left behind."""
    return [found.pid for found in find(Evidence(store_id, place))]


def find(evidence: Evidence) -> list[FoundProcess]:
    """Living processes of a store, this one left out.

    One that forks and ends between the list and the look at it leaves a child that neither shows: nothing found is
    an answer only if nobody on the list went meanwhile.
    """
    for _ in range(_LOOKS):
        listed = tree.all_pids()
        found = evidence.find()
        if found or not set(listed).difference(tree.all_pids()):
            return found
    return []


def _end(left: list[FoundProcess], number: int, patience_s: float) -> bool:
    """Signal processes and wait until all of them are gone or the patience is over; whether any could be signalled."""
    poll = select.poll()
    handles: dict[int, Handle] = {}
    any_ours = False
    for found in left:
        try:
            handle = Handle(found.pid)
        except OSError:
            any_ours = True  # it ended just now: look again
            continue
        # Only now that its number cannot change hands is it worth looking who it is.
        is_it = start_time(found.pid) == found.started
        refused = is_it and handle.is_refused()
        any_ours = any_ours or not refused
        if is_it and handle.send(number) and handle.fileno() >= 0:
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
    """Whether a process that was found is gone."""
    return start_time(found.pid) != found.started or not os.path.exists(f"/proc/{found.pid}")
