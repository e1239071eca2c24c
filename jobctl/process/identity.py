"""The marks by which jobctl recognizes its processes: by a tag, by a cookie in the environment, by their start time.

The tag is a number in the soft limit of RLIMIT_LOCKS. Linux has ignored this limit since 2.4 but still hands it down
through fork, exec, setsid and ``env -i``. The tag names the store and the attempt, so it identifies even a process that
has cut all other ties. Where the system has no prlimit, only the cookie is left.
"""

from __future__ import annotations

import os
import resource
import signal
import zlib

_RLIMIT_LOCKS = 10
_SERIAL_BITS = 32
_SERIAL_MASK = (1 << _SERIAL_BITS) - 1
#: The serial in the tag of an engine and of the processes that the engine starts itself.
ENGINE_SERIAL = 0

_LONGEST_NAME, _LONGEST_COMMAND = 64, 256
#: The position of the start time in ``stat_fields``: field 22 of proc_pid_stat(5), counted from the third.
STARTED_AT = 19

HAVE_TAGS = hasattr(resource, "prlimit")


class Tagger:
    """Tags the processes that this one starts next, and reads the tags of other processes, for one store."""

    def __init__(self, store_id: str) -> None:
        self._base = (1 << 62) | (zlib.crc32(store_id.encode()) & 0x3FFFFFFF) << _SERIAL_BITS
        self.works = HAVE_TAGS and self._usable()

    def _usable(self) -> bool:
        try:
            _, hard = resource.getrlimit(_RLIMIT_LOCKS)
        except (OSError, ValueError):
            return False
        return hard == resource.RLIM_INFINITY

    def mark(self, serial: int) -> None:
        """Tag processes that are started from now on with this serial."""
        if self.works:
            resource.setrlimit(_RLIMIT_LOCKS, (self._base | (serial & _SERIAL_MASK), resource.RLIM_INFINITY))

    def unmark(self) -> None:
        """Tag no processes that are started from now on."""
        if self.works:
            resource.setrlimit(_RLIMIT_LOCKS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def serial_of(self, pid: int) -> int | None:
        """The serial in the tag of a process; None if it has no tag of this store, is gone, or is another user's."""
        if not self.works:
            return None
        try:
            tag, _ = resource.prlimit(pid, _RLIMIT_LOCKS)
        except (OSError, ValueError):
            return None
        return tag & _SERIAL_MASK if tag & ~_SERIAL_MASK == self._base else None


def environment(pid: int, names: tuple[bytes, ...]) -> dict[bytes, bytes]:
    """The values of these variables when a process was started, without unset ones; empty if they are unreadable."""
    try:
        fd = os.open(f"/proc/{pid}/environ", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return {}
    try:
        data = b"\0" + _read_all(fd)
    except OSError:
        return {}
    finally:
        os.close(fd)
    found = {}
    for name in names:
        start = data.find(b"\0" + name + b"=")
        if start >= 0:
            found[name] = data[start + len(name) + 2 :].partition(b"\0")[0]
    return found


def _read_all(fd: int) -> bytes:
    parts = []
    while part := os.read(fd, 1 << 16):
        parts.append(part)
    return b"".join(parts)


def stat_fields(pid: int) -> list[bytes] | None:
    """Fields of /proc/PID/stat from the third on (state, ppid, pgrp, session...); None if there is no such process."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        data = os.read(fd, 4096)
    except OSError:
        return None
    finally:
        os.close(fd)
    return data[data.rfind(b")") + 2 :].split()


def is_dead(pid: int) -> bool:
    """True if a process is gone or is a zombie, which its parent may never reap."""
    fields = stat_fields(pid)
    return fields is None or fields[0] in (b"Z", b"X")


def name_of(pid: int) -> str:
    """The short name of a process, safe for any terminal; empty if it is gone."""
    name = _head_of(f"/proc/{pid}/comm", _LONGEST_NAME).decode("ascii", "replace").strip()
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in name)


def command(pid: int) -> str:
    """The command line of a process as one text, only for display; empty if it is gone."""
    head = _head_of(f"/proc/{pid}/cmdline", _LONGEST_COMMAND)
    return head.replace(b"\0", b" ").decode("utf-8", "backslashreplace").strip()


def _head_of(path: str, size: int) -> bytes:
    """The first bytes of a file; empty if it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(fd, size)
    except OSError:
        return b""
    finally:
        os.close(fd)


def start_time(pid: int) -> int | None:
    """The start time of a process, in clock ticks since boot. With boot id and pid it identifies a process for ever."""
    fields = stat_fields(pid)
    return int(fields[STARTED_AT]) if fields else None


def boot_id() -> str:
    """The id of this boot of the machine; empty where the system has none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


class Handle:
    """A process with its pidfd, so that a signal cannot reach another process that got the same number."""

    def __init__(self, pid: int) -> None:
        """Raises ProcessLookupError if the process does not exist."""
        self.pid = pid
        self._fd = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
        if self._fd < 0:
            os.kill(pid, 0)

    def fileno(self) -> int:
        """A descriptor that is readable when the process has ended; -1 where the system has no pidfd."""
        return self._fd

    def send(self, number: int) -> bool:
        """Send a signal; False if the process is gone or belongs to another user."""
        try:
            if self._fd >= 0:
                signal.pidfd_send_signal(self._fd, number)
            else:
                os.kill(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def is_refused(self) -> bool:
        """True if the process exists but this user may not signal it."""
        try:
            if self._fd >= 0:
                signal.pidfd_send_signal(self._fd, 0)
            else:
                os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return False

    def close(self) -> None:
        """Close the pidfd; the process continues."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
