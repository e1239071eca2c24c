"""Programs on a terminal of their own."""

from __future__ import annotations

import signal
from typing import Any

import pexpect


def end(terminal: pexpect.spawn[Any]) -> None:
    """End a program on a terminal. ``close`` of pexpect allows it a tenth of a second, too little on a busy machine."""
    if terminal.isalive():
        terminal.kill(signal.SIGKILL)
        terminal.wait()
    terminal.close()
