"""Numbers of a file, each of which one writer of one process may have: record locks, byte by byte.

A number is free when its writer releases it or its process ends. All threads of a process share one descriptor of the
file, because a process loses all its record locks on a file when it closes any descriptor of it. The kernel does not
tell the threads of a process apart either, so the numbers that this process has are kept here.
"""

from __future__ import annotations

import errno
import fcntl
import os
from _thread import allocate_lock  # the module threading takes longer to load, and every command loads this one

from jobctl.process.lock import holder_of
from jobctl.process.private import open_plain

_guard = allocate_lock()
#: (descriptor, numbers) of each file of which this process has a number, by its device and inode.
_files: dict[tuple[int, int], tuple[int, set[int]]] = {}


def take(path: str, number: int) -> tuple[int, int]:
    """Take a number; returns the file, for ``release``. Raises OSError if another writer has the number."""
    with _guard:
        file = _identity(path)
        if file not in _files:
            fd = open_plain(path, os.O_RDWR | os.O_CREAT)
            info = os.fstat(fd)
            file = (info.st_dev, info.st_ino)
            _files[file] = (fd, set())
        fd, numbers = _files[file]
        try:
            if number in numbers:
                raise OSError(errno.EAGAIN, f"another thread of this process has number {number}", path)
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
            numbers.add(number)
        finally:
            _close_unused(file)
    return file


def release(file: tuple[int, int], number: int) -> None:
    """Release a number that ``take`` has taken from a file."""
    with _guard:
        if file not in _files:  # this process was forked from the one that took it
            return
        fd, numbers = _files[file]
        fcntl.lockf(fd, fcntl.LOCK_UN, 1, number)
        numbers.discard(number)
        _close_unused(file)


def is_taken(path: str, number: int) -> bool:
    """True if a writer has this number, in this process or another one."""
    return writer(path, number) is not None


def writer(path: str, number: int) -> int | None:
    """The id of the process that has this number, this one or another; None if no process has it."""
    with _guard:
        found = _files.get(_identity(path))
        if found is not None:
            return os.getpid() if number in found[1] else holder_of(found[0], number, 1)
        try:
            fd = open_plain(path, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            return holder_of(fd, number, 1)
        finally:
            os.close(fd)


def _identity(path: str) -> tuple[int, int]:
    try:
        info = os.stat(path)
    except FileNotFoundError:
        return (0, 0)
    return (info.st_dev, info.st_ino)


def _close_unused(file: tuple[int, int]) -> None:
    fd, numbers = _files[file]
    if not numbers:
        del _files[file]
        os.close(fd)


def _forget() -> None:
    """A child has none of the locks of its parent, and its threads do not continue."""
    global _guard
    _guard = allocate_lock()
    _files.clear()


os.register_at_fork(after_in_child=_forget)
