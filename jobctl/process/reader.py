"""Pipes that we write to: who writes seldom would learn late, or never, that nobody reads any more."""

from __future__ import annotations

import fcntl
import os
import select
import stat
from collections.abc import Iterable
from typing import TextIO


def readers_end(stream: TextIO) -> tuple[int, ...]:
    """The descriptor of a stream that is a pipe: ready for a wait as soon as nobody reads it any more."""
    try:
        fd = stream.fileno()
        is_pipe = stat.S_ISFIFO(os.fstat(fd).st_mode)
        # One that we could read from as well would be ready for what we wrote ourselves.
        return (fd,) if is_pipe and fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY else ()
    except (OSError, ValueError):  # no file, or closed
        return ()


def check_reader(pipes: Iterable[int]) -> None:
    """Raises BrokenPipeError if one of these pipes has no reader any more."""
    poll = select.poll()
    for fd in pipes:
        poll.register(fd, 0)
    if poll.poll(0):
        raise BrokenPipeError
