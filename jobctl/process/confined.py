"""Inside the child of ``jobctl.process.isolated``: take its bounds on, and send frames to the parent."""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
from collections.abc import Sequence
from typing import Any, BinaryIO

from jobctl.process.frames import frame_bytes

#: Bytes of words on stdout and stderr: they are only for messages about a crash.
_WORDS = 1 << 20


class Parent:
    """The way to the parent. Each frame is progress, and begins the bound of processor time anew."""

    def __init__(self, pipe: BinaryIO, cpu_s: int) -> None:
        self._pipe = pipe
        self._cpu_s = cpu_s
        self._begin_again()

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Hand a frame over; waits while the parent is busy. Ends this process if the parent is gone."""
        try:
            self._pipe.write(frame_bytes(head, body))
            self._pipe.flush()
        except BrokenPipeError:
            os._exit(1)
        self._begin_again()

    def _begin_again(self) -> None:
        # Nobody handles SIGPROF: it ends the process, also in the midst of a loop in C.
        signal.setitimer(signal.ITIMER_PROF, self._cpu_s)


def enter(words: Sequence[str]) -> tuple[Parent, Sequence[str]]:
    """Limit this process as the first words say; returns the way to the parent, and the other words.

    Memory is RLIMIT_DATA, which counts what can be written; reserved addresses and mapped files cost nothing. macOS
    applies no such limit.
    """
    memory, cpu_s, writer, *others = words
    for limit, value in (
        (resource.RLIMIT_DATA, int(memory)),
        (resource.RLIMIT_FSIZE, _WORDS),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))
    _end_with_the_parent()
    return Parent(os.fdopen(int(writer), "wb"), int(cpu_s)), others


def _end_with_the_parent() -> None:
    """The kernel sends SIGIO, which ends us, when nobody holds the other end of our standard input any more.

    Where it does not (macOS ignores that signal), we notice with the next frame.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    hung_up = select.poll()
    hung_up.register(0, 0)
    if hung_up.poll(0):  # it was gone before we asked
        os._exit(1)
