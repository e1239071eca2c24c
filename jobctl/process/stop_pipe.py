"""Tells a thread that waits for descriptors to end."""

from __future__ import annotations

import os
import select
import threading


class StopPipe:
    """A descriptor that becomes readable for the thread when another thread calls ``stop``."""

    def __init__(self) -> None:
        """Raises OSError if the process has no descriptor left."""
        self.reader, self._writer = os.pipe()
        self._lock = threading.Lock()
        self._is_read = True

    def stop(self) -> None:
        """Make ``reader`` readable. Call it once."""
        with self._lock:
            # Closing alone is not enough: a child that was forked meanwhile has a copy, and the thread would wait for
            # its end. A write without a reader would end a program in which SIGPIPE has its default action.
            if self._is_read:
                os.write(self._writer, b"!")
            os.close(self._writer)

    def close(self) -> None:
        """Close ``reader``. The thread does it at its end."""
        with self._lock:
            self._is_read = False
            os.close(self.reader)


def is_readable(descriptor: int, timeout_s: float = 0.0) -> bool:
    """Return whether a descriptor has something to read, or its other end is closed, within ``timeout_s`` seconds.

    Unlike ``select``, it takes the high numbers of a program that has more than a thousand descriptors.
    """
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(timeout_s * 1000))
