"""Signals as bytes on a descriptor, so that one poll waits for signals, sockets and deadlines."""

from __future__ import annotations

import os
import signal
from types import FrameType

_MOST_AT_ONCE = 4096


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the number is in the pipe already, and the loop reads only the pipe."""


class SignalPipe:
    """Readable when one of the signals has come."""

    def __init__(self, numbers: tuple[int, ...]) -> None:
        self._read, write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(write, False)
        # A full pipe loses numbers but stays readable, and every reader of it reaps all that it can.
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, _ignore)

    def fileno(self) -> int:
        """The readable end of the pipe."""
        return self._read

    def take(self) -> bytes:
        """The numbers of the signals that came since the last call, one byte each."""
        try:
            return os.read(self._read, _MOST_AT_ONCE)
        except BlockingIOError:
            return b""
