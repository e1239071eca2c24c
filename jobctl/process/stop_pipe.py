"""Tells a thread that waits for descriptors to end."""

from __future__ import annotations

import contextlib
import os
import select


class StopPipe:
    """A descriptor that becomes readable for the thread when another thread calls ``stop``."""

    def __init__(self) -> None:
        """Raises OSError if the process has no descriptor left."""
        self.reader, self._writer = os.pipe()

    def stop(self) -> None:
        """Make ``reader`` readable. Call it once."""
        # Closing alone is not enough: a child that was forked meanwhile holds a copy, and the thread would wait for it.
        with contextlib.suppress(BrokenPipeError):  # the thread has ended by itself
            os.write(self._writer, b"!")
        os.close(self._writer)

    def close(self) -> None:
        """Close ``reader``. The thread does it at its end."""
        os.close(self.reader)


def is_readable(descriptor: int, timeout_s: float = 0.0) -> bool:
    """Return whether a descriptor has something to read, or its other end is closed, within ``timeout_s`` seconds.

    Unlike ``select``, it takes the high numbers of a program that has more than a thousand descriptors.
    """
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(timeout_s * 1000))
