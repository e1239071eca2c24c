"""One daemon per store: a record lock on a file, held for life, freed by the kernel whatever happens.

A record lock (lockf) is not inherited by children, unlike flock, so it ends with its holder even while items live
on. It is lost when its process closes any descriptor of the file, so the holder opens the file exactly once.

The first byte is the daemon: who has it is the daemon of the store. The rest is the work that only one may do: a
daemon has it for life, a command that moves the WAL, repairs or migrates has it for a while and is no daemon by it.
A daemon that is about to begin waits for such a command. Beyond both is the place of the one that is next in line.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jobctl.process import displaced
from jobctl.process.private import open_plain

_LINUX = sys.platform == "linux"
#: struct flock: type, whence, start, length, pid on Linux; start, length, pid, type, whence on BSDs.
_FLOCK = "hhqqi4x" if _LINUX else "qqihh"


#: What a daemon waits for a command that looks after the store; a copy of a large database takes a while.
PATIENCE_S = 60.0
_DAEMON = (1, 0)  # length, start
_END = 1 << 40
_WORK = (_END - 1, 1)
_LINE = (1, _END)
#: Paths that this process opened to have a part of: it must not open them again, not even to ask.
_taken_here: set[str] = set()


class HeldError(Exception):
    """Somebody else holds the lock; ``pid`` is 0 if the system does not say who."""

    def __init__(self, pid: int, *, is_daemon: bool = True, is_displaced: bool = False) -> None:
        super().__init__(f"held by process {pid}")
        self.pid = pid
        self.is_daemon = is_daemon
        self.is_displaced = is_displaced  # what it holds is no longer the file at the path


def take(path: str, patience_s: float = PATIENCE_S) -> int:
    """Become the daemon; returns the descriptor that must stay open. Only in the main thread.

    Raises HeldError at once if there is one, or if a command did not let go in so many seconds, or OSError from
    opening it.
    """
    return _at_work(_taken(path, _DAEMON), patience_s)


def take_in_line(path: str, waiting: Callable[[int], None]) -> int:
    """The same, after the daemon that is there: however long it takes, without a clock that looks.

    ``waiting`` is told which process it is. Raises HeldError if somebody else is next in line, FileNotFoundError when
    the store was removed in the meantime.
    """
    try:
        return take(path)
    except HeldError as held:
        if not held.is_daemon:
            raise
        before = held.pid
    fd = _taken(path, _LINE)
    waiting(before)
    fcntl.lockf(fd, fcntl.LOCK_EX, *_DAEMON)
    fcntl.lockf(fd, fcntl.LOCK_UN, *_LINE)
    if not os.path.samestat(os.stat(path), os.fstat(fd)):
        os.close(fd)
        raise FileNotFoundError(errno.ENOENT, "the store was removed and made anew in the meantime", path)
    return _at_work(fd, PATIENCE_S)


def _at_work(fd: int, patience_s: float) -> int:
    try:
        with _alarm(patience_s):
            fcntl.lockf(fd, fcntl.LOCK_EX, *_WORK)
    except TimeoutError:
        holder = _holder(fd, *reversed(_WORK))
        os.close(fd)
        raise HeldError(holder or 0, is_daemon=False) from None
    return fd


def take_for_a_while(path: str) -> int:
    """Keep daemons away until the descriptor is closed, without being one. Raises HeldError, OSError."""
    return _taken(path, _WORK)


def _taken(path: str, part: tuple[int, int]) -> int:
    fd = open_plain(path, os.O_RDWR | os.O_CREAT)
    _taken_here.add(path)
    length, start = part
    while True:
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, *part)
            break
        except OSError:
            holder = _holder(fd, start, length)
            daemon = _holder(fd, *reversed(_DAEMON))
        if holder is not None:
            os.close(fd)
            raise HeldError(holder, is_daemon=daemon == holder)
    other = displaced.daemon(path)
    if other is not None:
        os.close(fd)
        raise HeldError(other, is_displaced=True)
    return fd


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the block after so long: the one way to end a wait for a lock."""

    def ring(_number: int, _frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def holder(path: str) -> int | None:
    """Process id of the daemon, None if there is none. Never to be called by whoever has any part of the lock.

    Also of one whose lock file was removed or replaced.
    """
    found = _asked(path, _DAEMON)
    return displaced.daemon(path) if found is None else found


def suspect(path: str) -> int | None:
    """Like ``holder``, for who only wants to know whether to look closer; also for who has a part of the lock.

    The kernel's list of locks is read only where the file is missing: a store without a daemon costs nothing more.
    """
    if path in _taken_here:
        return displaced.any_daemon(path)
    found = _asked(path, _DAEMON)
    return displaced.any_daemon(path) if found is None and not os.path.lexists(path) else found


def next_in_line(path: str) -> int | None:
    """Process id of who becomes the daemon after the one that is there; None if nobody waits for that."""
    found = _asked(path, _LINE)
    return None if found == holder(path) else found  # a daemon of an older jobctl has all of it


def _asked(path: str, part: tuple[int, int]) -> int | None:
    try:
        fd = open_plain(path, os.O_RDONLY)  # the store may be one that can only be read
    except FileNotFoundError:
        return None
    try:
        return _holder(fd, *reversed(part))
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
