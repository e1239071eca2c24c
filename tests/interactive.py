"""Programs on a terminal of their own."""

from __future__ import annotations

import os
import signal
from typing import Any

import pexpect

_PIECE = 65_536


class Program(pexpect.spawn):  # type: ignore[type-arg]
    """A program on a terminal, of which ``expect`` finds the text to the last byte."""

    def read_nonblocking(self, size: int = 1, timeout: int | None = -1) -> Any:
        """Return the next text. Raises pexpect.EOF at the second end in a row, as ``read_terminal`` explains."""
        try:
            return super().read_nonblocking(size, timeout)
        except pexpect.EOF:
            return super().read_nonblocking(size, timeout)


def read_terminal(leader: int) -> bytes:
    """Return the next bytes that programs write to a terminal; empty after the last one has closed it.

    One error is not yet the end. Linux looks for text, then whether the terminal is closed, and then fails. If a
    program writes and ends between these two looks, the next read still gets the text.
    """
    for _ in range(2):
        try:
            return os.read(leader, _PIECE)
        except OSError:
            continue
    return b""


def end(terminal: pexpect.spawn[Any]) -> None:
    """End a program on a terminal. ``close`` of pexpect allows it a tenth of a second, too little on a busy machine."""
    if terminal.isalive():
        terminal.kill(signal.SIGKILL)
        terminal.wait()
    terminal.close()
