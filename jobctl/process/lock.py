"""One daemon for each store: a record lock on a file, which its holder keeps for life and the kernel then frees.

Children do not inherit a record lock (lockf), unlike flock, so it ends with its holder even while items continue. A
process loses it by closing any descriptor of the file, so the holder opens the file exactly once, and its other threads
ask through the same descriptor.

The lock on the first byte makes a process the daemon of the store. The rest is for exclusive work: a daemon holds it
for life; a command that moves the WAL, repairs or migrates holds it for a while without being a daemon. A starting
daemon waits for such a command. The byte beyond both belongs to the daemon that is next in line.
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


#: The time that a daemon waits for a command with exclusive work; a copy of a large database takes a while.
PATIENCE_S = 60.0
_DAEMON = (1, 0)  # length, start
_END = 1 << 40
_WORK = (_END - 1, 1)
_LINE = (1, _END)
#: The descriptors of the files of which this process holds a part, by path. It must not open them again, not even to
#: query the lock: closing that descriptor would release the lock.
_taken_here: dict[str, int] = {}


class HeldError(Exception):
    """Another process holds the lock; ``pid`` is 0 if the system does not tell which."""

    def __init__(self, pid: int, *, is_daemon: bool = True, is_displaced: bool = False) -> None:
        super().__init__(f"held by process {pid}")
        self.pid = pid
        self.is_daemon = is_daemon
        self.is_displaced = is_displaced  # another file has replaced its lock file at the path


def take(path: str, patience_s: float = PATIENCE_S) -> int:
    """Become the daemon; returns the descriptor that must stay open. Call it in the main thread.

    Raises HeldError at once if there is a daemon, or if a command holds the store for longer than ``patience_s``;
    OSError if the file cannot be opened.
    """
    return _at_work(_taken(path, _DAEMON), patience_s)


def take_in_line(path: str, waiting: Callable[[int], None]) -> int:
    """Become the daemon when the running one has ended, however long that takes; the kernel wakes this process.

    ``waiting`` is called with the pid of the running daemon. Raises HeldError if another process is next in line,
    FileNotFoundError if the store was removed in the meantime.
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
        release(fd)
        raise FileNotFoundError(errno.ENOENT, "the store was removed and created again in the meantime", path)
    return _at_work(fd, PATIENCE_S)


def _at_work(fd: int, patience_s: float) -> int:
    try:
        with _alarm(patience_s):
            fcntl.lockf(fd, fcntl.LOCK_EX, *_WORK)
    except TimeoutError:
        holder = holder_of(fd, *reversed(_WORK))
        release(fd)
        raise HeldError(holder or 0, is_daemon=False) from None
    return fd


def take_for_a_while(path: str) -> int:
    """Hold the exclusive work until ``release``, without being a daemon. Raises HeldError, OSError."""
    return _taken(path, _WORK)


def release(fd: int) -> None:
    """Release what this process holds through a descriptor."""
    _forget(fd)
    os.close(fd)


def _forget(fd: int) -> None:
    for path in [path for path, held in _taken_here.items() if held == fd]:
        del _taken_here[path]


def _taken(path: str, part: tuple[int, int]) -> int:
    if path in _taken_here:  # the kernel would give it to another thread of this process as well
        raise HeldError(os.getpid(), is_daemon=False)
    fd = open_plain(path, os.O_RDWR | os.O_CREAT)
    length, start = part
    while True:
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, *part)
            break
        except OSError:
            holder = holder_of(fd, start, length)
            daemon = holder_of(fd, *reversed(_DAEMON))
        if holder is not None:
            os.close(fd)
            raise HeldError(holder, is_daemon=daemon == holder)
    other = displaced.daemon(path)
    if other is not None:
        os.close(fd)
        raise HeldError(other, is_displaced=True)
    if _taken_here.setdefault(path, fd) != fd:  # another thread was faster, and this descriptor must not be closed
        raise HeldError(os.getpid(), is_daemon=False)
    return fd


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the block after this time: a signal is the only way to end a wait for a record lock."""

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
    """Process id of the daemon, None if there is none or if it is this process.

    It also finds a daemon whose lock file was removed or replaced.
    """
    found = _asked(path, _DAEMON)
    return displaced.daemon(path) if found is None else found


def suspect(path: str) -> int | None:
    """Like ``holder``, but only a hint; a process that has a part of the lock may call this.

    It reads the kernel's list of locks only if the file is missing, so a store without a daemon costs little.
    """
    if path in _taken_here:
        return displaced.any_daemon(path)
    found = _asked(path, _DAEMON)
    return displaced.any_daemon(path) if found is None and not os.path.lexists(path) else found


def next_in_line(path: str) -> int | None:
    """Process id of the daemon that waits for the running one to end; None if none waits."""
    found = _asked(path, _LINE)
    return None if found == holder(path) else found  # a daemon of an older jobctl locks the whole file


def _asked(path: str, part: tuple[int, int]) -> int | None:
    if path in _taken_here:
        return holder_of(_taken_here[path], *reversed(part))
    try:
        fd = open_plain(path, os.O_RDONLY)  # the store may be read-only
    except FileNotFoundError:
        return None
    try:
        return holder_of(fd, *reversed(part))
    finally:
        os.close(fd)


def holder_of(fd: int, start: int = 0, length: int = 0) -> int | None:
    """Process id of another process that has a lock on a part of an open file; None if none has."""
    asked = (fcntl.F_WRLCK, os.SEEK_SET, start, length, 0) if _LINUX else (start, length, 0, fcntl.F_WRLCK, os.SEEK_SET)
    answer = struct.unpack(_FLOCK, fcntl.fcntl(fd, fcntl.F_GETLK, struct.pack(_FLOCK, *asked)))
    kind, pid = (answer[0], answer[4]) if _LINUX else (answer[3], answer[2])
    return None if kind == fcntl.F_UNLCK else pid


# A child has none of the locks of its parent.
os.register_at_fork(after_in_child=_taken_here.clear)
