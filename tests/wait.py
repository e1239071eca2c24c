"""The only polling loop in the tests: for conditions that no descriptor announces."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

_FIRST_PAUSE_S = 0.002
_LONGEST_PAUSE_S = 0.1


def wait_until(condition: Callable[[], object], deadline_s: float = 60.0, what: str = "the condition") -> None:
    """Return as soon as ``condition()`` is true; fails with ``what`` after ``deadline_s`` seconds."""
    until = time.monotonic() + deadline_s
    pause = _FIRST_PAUSE_S
    while not condition():
        assert time.monotonic() < until, f"{what}: not within {deadline_s:g} s"
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def wait_executed(pid: int) -> None:
    """Return when a process that was just started can be looked at.

    Popen returns before the kernel has finished the exec; until then the arguments and the environment are empty.
    """
    arguments = Path(f"/proc/{pid}/cmdline")
    wait_until(arguments.read_bytes, what=f"the end of the exec of process {pid}")
