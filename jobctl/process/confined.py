"""Limits the child of ``jobctl.process.isolated``, from inside the child, and sends frames to the parent."""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
from collections.abc import Sequence
from typing import Any, BinaryIO

from jobctl.process.frames import frame_bytes

#: Bytes that the child may write to stdout and stderr, which are only for messages about a crash.
_OUTPUT_LIMIT = 1 << 20


class Parent:
    """The pipe to the parent. Each frame is progress, so the bound of processor time starts again."""

    def __init__(self, pipe: BinaryIO, cpu_s: int) -> None:
        self._pipe = pipe
        self._cpu_s = cpu_s
        self._restart_timer()

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Send a frame; blocks while the parent is busy. Ends this process if the parent is gone."""
        try:
            self._pipe.write(frame_bytes(head, body))
            self._pipe.flush()
        except BrokenPipeError:
            os._exit(1)
        self._restart_timer()

    def _restart_timer(self) -> None:
        # SIGPROF has no handler, so it ends the process even inside a loop in C.
        signal.setitimer(signal.ITIMER_PROF, self._cpu_s)


def enter(words: Sequence[str]) -> tuple[Parent, Sequence[str]]:
    """Limit this process by the first three words; returns the pipe to the parent, and the other words.

    The limit of memory is RLIMIT_DATA, which counts writable memory; reserved addresses and mapped files are free.
    macOS applies no such limit.
    """
    memory, cpu_s, writer, *others = words
    for limit, value in (
        (resource.RLIMIT_DATA, int(memory)),
        (resource.RLIMIT_FSIZE, _OUTPUT_LIMIT),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))
    _end_with_the_parent()
    return Parent(os.fdopen(int(writer), "wb"), int(cpu_s)), others


def _end_with_the_parent() -> None:
    """End this process with its parent: the kernel sends SIGIO when the other end of standard input is closed.

    macOS ignores that signal by default; there, sending the next frame finds the closed pipe.
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    poll = select.poll()
    poll.register(0, 0)
    if poll.poll(0):  # the parent was gone before SIGIO was set up
        os._exit(1)
