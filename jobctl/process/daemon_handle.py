"""Finds the running daemon of a store from another process, signals it and waits for its end."""

from __future__ import annotations

import os
import select
from collections.abc import Callable

from jobctl.process import lock
from jobctl.process.identity import Handle


def lock_holder(path: str | os.PathLike[str]) -> int | None:
    """Process id of the daemon of a store, None if there is none. The daemon itself must never call this."""
    return lock.holder(os.fspath(path))


class DaemonHandle:
    """The running daemon of a store. The handle keeps signals from a process that gets the same number later."""

    def __init__(self, handle: Handle) -> None:
        self.pid = handle.pid
        self._handle = handle

    @classmethod
    def find(
        cls, path: str | os.PathLike[str], holder: Callable[[str], int | None] = lock.holder
    ) -> DaemonHandle | None:
        """The daemon that holds the lock, or the process that ``holder`` returns; None if there is none."""
        path = os.fspath(path)
        pid = holder(path)
        if not pid:
            return None
        try:
            handle = Handle(pid)
        except ProcessLookupError:
            return None
        if holder(path) != pid:  # checked again while the handle is open: the number may have passed to another process
            handle.close()
            return None
        return cls(handle)

    def fileno(self) -> int:
        """A descriptor that is readable when the daemon has ended."""
        return self._handle.fileno()

    def send(self, number: int) -> bool:
        """Send the daemon a signal; False if it is gone."""
        return self._handle.send(number)

    def wait_gone(self, timeout_s: float | None) -> bool:
        """Wait until the daemon has ended; False if it still runs after the timeout."""
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        return bool(poll.poll(None if timeout_s is None else timeout_s * 1000))

    def close(self) -> None:
        """Close the handle; the daemon continues."""
        self._handle.close()
