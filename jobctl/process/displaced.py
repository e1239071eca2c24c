"""Finds a daemon whose lock file was removed or replaced: its lock still exists, on a file without a name.

A process that opens the path gets another file, whose lock is free, and would become a second daemon. The kernel's list
of locks still has the lock of the first one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

#: The message about such a daemon, with a place for the process id.
DISPLACED = "process {} is the daemon of this store, although its lock file was removed or replaced"


def daemon(path: str) -> int | None:
    """Process id of a daemon of the store that holds another file than the one at the path; None if there is none."""
    current = _inode_at(path)
    return next((pid for pid, inode in _daemons(path) if inode != current), None)


def any_daemon(path: str) -> int | None:
    """Process id of a daemon of the store, whichever file it holds. A process with a part of the lock may call this."""
    return next((pid for pid, _ in _daemons(path)), None)


def _daemons(path: str) -> Iterator[tuple[int, int]]:
    """(process id, inode of its lock file) of each daemon of the store."""
    try:
        root = os.stat(os.path.dirname(path) or ".")
        with open("/proc/locks", "rb") as file:
            lines = file.read().splitlines()
    except OSError:  # another system, or no store
        return
    word = b"\0store=%x-%x\0" % (root.st_dev, root.st_ino)
    for line in lines:
        pid, inode = _pid_and_inode(line)
        if pid > 0 and pid != os.getpid() and _is_supervisor(pid, word):
            yield pid, inode


def _inode_at(path: str) -> int:
    try:
        return os.stat(path, follow_symlinks=False).st_ino
    except OSError:
        return 0


def _pid_and_inode(line: bytes) -> tuple[int, int]:
    """(pid, inode) of a record lock that begins at the first byte of its file, as that of a daemon; else zeros."""
    fields = line.split()
    if len(fields) != 8 or fields[1:4] != [b"POSIX", b"ADVISORY", b"WRITE"] or fields[6] != b"0":
        return 0, 0
    return int(fields[4]), int(fields[5].rpartition(b":")[2])


def _is_supervisor(pid: int, word: bytes) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            arguments = file.read()
    except OSError:
        return False
    return word in arguments and b"\0lock=" in arguments
