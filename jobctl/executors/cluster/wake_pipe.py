"""A pipe through which another thread wakes the thread that waits in a selector."""

from __future__ import annotations

import os


class WakePipe:
    """Readable from ``wake`` until ``drain``."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        for fd in (self._reader, self._writer):
            os.set_blocking(fd, False)

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._reader

    def wake(self) -> None:
        """Make the pipe readable; any thread may call it."""
        try:
            os.write(self._writer, b"!")
        except BlockingIOError:
            return  # the pipe is full, so it is readable

    def drain(self) -> None:
        """Make the pipe unreadable until the next ``wake``."""
        try:
            while os.read(self._reader, 4096):
                pass
        except BlockingIOError:
            return
