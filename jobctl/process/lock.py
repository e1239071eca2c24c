"""One daemon per store: a record lock on a file, held for life, freed by the kernel whatever happens.

A record lock (lockf) is not inherited by children, unlike flock, so it ends with its holder even while items live
on. It is lost when its process closes any descriptor of the file, so the holder opens the file exactly once.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys

from jobctl.process.private import open_plain

_LINUX = sys.platform == "linux"
#: struct flock: type, whence, start, length, pid on Linux; start, length, pid, type, whence on BSDs.
_FLOCK = "hhqqi4x" if _LINUX else "qqihh"


class HeldError(Exception):
    """Somebody else holds the lock; ``pid`` is 0 if the system does not say who."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"held by process {pid}")
        self.pid = pid


def take(path: str) -> int:
    """Take the lock; returns the descriptor that must stay open. Raises HeldError, or OSError from opening it."""
    fd = open_plain(path, os.O_RDWR | os.O_CREAT)
    while True:
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except OSError:
            holder = _holder(fd)
        if holder is not None:
            os.close(fd)
            raise HeldError(holder)


def holder(path: str) -> int | None:
    """Process id of who holds the lock, None if nobody does. Never to be called by the holder itself."""
    try:
        fd = open_plain(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        return _holder(fd)
    finally:
        os.close(fd)


def take_number(path: str, number: int) -> int:
    """Take one number of many; returns the descriptor that must stay open. Raises OSError if somebody has it.

    A process that has one must not close any other descriptor of the file.
    """
    fd = open_plain(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
    except BaseException:
        os.close(fd)
        raise
    return fd


def is_taken(path: str, number: int) -> bool:
    """Whether another process has a number."""
    try:
        fd = open_plain(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return _holder(fd, number, 1) is not None
    finally:
        os.close(fd)


def _holder(fd: int, start: int = 0, length: int = 0) -> int | None:
    asked = (fcntl.F_WRLCK, os.SEEK_SET, start, length, 0) if _LINUX else (start, length, 0, fcntl.F_WRLCK, os.SEEK_SET)
    answer = struct.unpack(_FLOCK, fcntl.fcntl(fd, fcntl.F_GETLK, struct.pack(_FLOCK, *asked)))
    kind, pid = (answer[0], answer[4]) if _LINUX else (answer[3], answer[2])
    return None if kind == fcntl.F_UNLCK else pid
