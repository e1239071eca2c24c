"""Blocks until the database changes, for live views and waits. It watches names and opens no database file."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import struct
import time
from typing import Any

#: The longest wait before the caller should look again where the system has no inotify.
UNWATCHED_WAIT_S = 0.5

_IN_MODIFY = 0x2
_IN_MOVED_FROM = 0x40
_IN_MOVED_TO = 0x80
_IN_CREATE = 0x100
_IN_DELETE = 0x200
_IN_DELETE_SELF = 0x400
_IN_MOVE_SELF = 0x800
_IN_Q_OVERFLOW = 0x4000
_EVENTS = _IN_MODIFY | _IN_CREATE | _IN_MOVED_TO | _IN_MOVED_FROM | _IN_DELETE | _IN_DELETE_SELF | _IN_MOVE_SELF
#: Events about the directory itself, or about a lost event.
_NAMELESS = _IN_Q_OVERFLOW | _IN_DELETE_SELF | _IN_MOVE_SELF
_IN_NONBLOCK = os.O_NONBLOCK
_IN_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_EVENT = struct.Struct("iIII")
_READ_BYTES = 1 << 16


class Watch:
    """Watches the files of a directory, by default those of the database, and the directory itself."""

    def __init__(
        self, directory: str | os.PathLike[str], names: tuple[str, ...] = ("jobctl.db", "jobctl.db-wal")
    ) -> None:
        """``names`` are the files to watch; an empty tuple means all."""
        self._names = {os.fsencode(name) for name in names}
        self._fd = _inotify(os.fsencode(directory))

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def fileno(self) -> int:
        """A descriptor that is readable after a change in the directory; -1 where the system cannot watch."""
        return self._fd

    def wait(self, timeout_s: float | None) -> bool:
        """Wait for a change, at most ``timeout_s``; True if there may have been one."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        if self._fd < 0:
            return _wait_unwatched(timeout_s)
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        while poll.poll(None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000):
            if self.drain():
                return True
        return False

    def drain(self) -> bool:
        """Read the pending events; True if one concerns a watched file."""
        has_changed = False
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._fd, _READ_BYTES):
                has_changed = self._concerns_us(data) or has_changed
        return has_changed

    def _concerns_us(self, data: bytes) -> bool:
        at = 0
        while at < len(data):
            _, mask, _, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size
            name = data[at : at + length].rstrip(b"\0")
            at += length
            if mask & _NAMELESS or not self._names or name in self._names:
                return True
        return False

    def close(self) -> None:
        """Stop watching."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _wait_unwatched(timeout_s: float | None) -> bool:
    select.select([], [], [], UNWATCHED_WAIT_S if timeout_s is None else min(timeout_s, UNWATCHED_WAIT_S))
    return True


def _inotify(directory: bytes) -> int:
    import ctypes

    libc: Any = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "inotify_init1"):
        return -1
    fd: int = libc.inotify_init1(_IN_NONBLOCK | _IN_CLOEXEC)
    if fd < 0:  # too many watches on this machine: the caller looks from time to time instead
        return -1
    if libc.inotify_add_watch(fd, directory, _EVENTS) < 0:
        number = ctypes.get_errno()
        os.close(fd)
        if number in (errno.ENOSPC, errno.ENOMEM):
            return -1
        raise OSError(number, os.strerror(number), os.fsdecode(directory))
    return fd
