"""Ending what a dead supervisor left behind: found by its tag or cookie, never by a remembered number."""

from __future__ import annotations

import os
import select
import signal
import time

from jobctl.process import tree
from jobctl.process.identity import Handle, Tagger, environment_value, is_dead

#: They are run again anyway, and nothing runs before they are gone.
_GRACE_S = 1.0
_ROUNDS_S = 30.0
_PAUSE_S = 0.2
#: On a machine where processes come and go all the time: enough is enough.
_LOOKS = 20


def sweep(store_id: str, grace_s: float = _GRACE_S) -> list[int]:
    """End every item and every other engine of a store: TERM, then KILL after ``grace_s``, until none is left.

    Call it only while no supervisor of the store lives. Returns what could not be ended (normally nothing).
    """
    finder = _Finder(store_id)
    began = time.monotonic()
    while left := finder.find():
        now = time.monotonic()
        if now > began + grace_s + _ROUNDS_S:
            return left
        politely = now < began + grace_s
        _end(
            left,
            finder,
            signal.SIGTERM if politely else signal.SIGKILL,
            began + grace_s - now if politely else _PAUSE_S,
        )
    return []


def guests_of(store_id: str) -> str:
    """Names what the guests of a store's engine run."""
    return f"{store_id}.guests"


def leftovers(store_id: str) -> list[int]:
    """Living items and engines of a store; while no supervisor of it lives, what a dead one left behind."""
    return _Finder(store_id).find()


class _Finder:
    """Who belongs to a store."""

    def __init__(self, store_id: str) -> None:
        self._tagger = Tagger(store_id)
        self._store = store_id.encode()

    def find(self) -> list[int]:
        """Living processes of the store, this one left out.

        One that forks and ends between the list and the look at it leaves a child that neither shows: nothing found is
        an answer only if nobody on the list went meanwhile.
        """
        for _ in range(_LOOKS):
            listed = tree.all_pids()
            found = [pid for pid in listed if pid != os.getpid() and self.owns(pid) and not is_dead(pid)]
            if found or not set(listed).difference(tree.all_pids()):
                return found
        return []

    def owns(self, pid: int) -> bool:
        """Whether a process is an item or an engine of the store."""
        if self._tagger.works:  # a thousand times cheaper than reading environments, and nothing gets rid of it
            return self._tagger.serial_of(pid) is not None
        cookie = environment_value(pid, b"JOBCTL_COOKIE")
        if cookie is not None and cookie.rsplit(b".", 3)[0] == self._store:
            return True
        return environment_value(pid, b"JOBCTL_ENGINE") == self._store


def _end(pids: list[int], finder: _Finder, number: int, patience_s: float) -> None:
    """Signal processes and wait until all of them are gone or the patience is over."""
    poll = select.poll()
    handles: dict[int, Handle] = {}
    for pid in pids:
        try:
            handle = Handle(pid)
        except OSError:
            continue
        if finder.owns(pid) and handle.send(number) and handle.fileno() >= 0:
            handle.send(signal.SIGCONT)
            handles[handle.fileno()] = handle
            poll.register(handle.fileno(), select.POLLIN)
        else:
            handle.close()
    until = time.monotonic() + max(0.0, patience_s)
    while handles and (ready := poll.poll(max(0.0, until - time.monotonic()) * 1000)):
        for fd, _ in ready:
            poll.unregister(fd)
            handles.pop(fd).close()
    for handle in handles.values():
        handle.close()
