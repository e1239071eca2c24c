"""Checks whether the reader of a pipe is gone. A process that seldom writes would notice that late, or never."""

from __future__ import annotations

import fcntl
import os
import select
import stat
from collections.abc import Iterable
from typing import TextIO


def output_pipe(stream: TextIO) -> tuple[int, ...]:
    """The descriptor of an output stream that is a pipe, for ``check_reader``; empty for other streams."""
    try:
        fd = stream.fileno()
        is_pipe = stat.S_ISFIFO(os.fstat(fd).st_mode)
        # A pipe that this process can also read from would become ready with its own output.
        return (fd,) if is_pipe and fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY else ()
    except (OSError, ValueError):  # the stream has no descriptor, or is closed
        return ()


def check_reader(pipes: Iterable[int]) -> None:
    """Raises BrokenPipeError if the reader of one of these pipes is gone."""
    poll = select.poll()
    for fd in pipes:
        poll.register(fd, 0)
    if poll.poll(0):
        raise BrokenPipeError
