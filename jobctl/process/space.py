"""Room on the file system of the store. With too little room, the daemon starts no items."""

from __future__ import annotations

import errno
import os

from jobctl.domain.wording import percent, plural, size
from jobctl.process import mounts

#: Less free room than this is too little...
FLOOR_BYTES = 512 << 20
#: ...or, on a small file system, less than this share of it.
FLOOR_SHARE = 0.02
#: The beginning of the daemon's pressure while the disk has too little room.
PAUSED = "paused: disk"
#: With fewer free inodes than this, a file system counts as full.
_FEW_FILES = 4
#: With less free room than this, a write of an ordinary length fails.
FULL_BYTES = 64 << 10

Folder = str | os.PathLike[str]


def shortage(*folders: Folder) -> str:
    """Describe the shortage in the first of these folders that lacks room; empty if all have room.

    The text has figures, as in ``81 MiB of 12 GiB free (0.7 %) in /var/queue``.
    """
    for folder in folders:
        free, total, left = _room(folder)
        if total and free < _floor(total):
            return free_text(folder) + _mount_text(folder)
        if left is not None and left < _FEW_FILES:
            return f"{plural(left, 'more file')} can be made in {os.fspath(folder)}" + _mount_text(folder)
    return ""


def has_free(folder: Folder, size_bytes: int) -> bool:
    """True if a file of this size fits into a folder, or if the file system does not report its size."""
    free, total, _ = _room(folder)
    return not total or free >= size_bytes


def write_problem(folder: Folder) -> str:
    """The reason why nothing can be written to a folder, found by writing to an unnamed file; '' if it works."""
    try:
        fd = os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, bytes(FULL_BYTES))
        finally:
            os.close(fd)
    except OSError as problem:
        return _problem_text(problem.errno or 0, folder)
    except AttributeError:  # this system has no unnamed files
        return shortage(folder)
    return ""


def _problem_text(number: int, folder: Folder) -> str:
    if number == errno.ENOSPC:
        return free_text(folder) + _mount_text(folder)
    if number == errno.EDQUOT:
        return f"the disk quota of user {os.geteuid()} is used up in {os.fspath(folder)}" + _mount_text(folder)
    if number == errno.EFBIG:
        return "files cannot grow: the limit on the size of files (ulimit -f) is too small"
    if number == errno.EROFS:
        return f"{os.fspath(folder)} is read-only" + _mount_text(folder)
    if number in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):  # this file system has no unnamed files
        return shortage(folder)
    return f"{os.strerror(number)} in {os.fspath(folder)}" + _mount_text(folder)


def is_full(folder: Folder) -> bool:
    """True if even a short write fails, or no file can be made."""
    free, total, left = _room(folder)
    return bool(total) and (free < FULL_BYTES or (left is not None and left < 1))


def _mount_text(folder: Folder) -> str:
    point, kind = mounts.mount_of(folder)
    return f", on the {kind} mounted at {point}" if point else ""


def above_floor(folder: Folder) -> int | None:
    """Bytes that can be written before there is a shortage; None where the file system does not report its size."""
    free, total, _ = _room(folder)
    return int(free - _floor(total)) if total else None


def free_text(folder: Folder) -> str:
    """The free room in words, as in ``81 MiB of 12 GiB free (0.7 %) in /var/queue``."""
    free, total, _ = _room(folder)
    return f"{size(free)} of {size(total)} free ({percent(free, total)}) in {folder}"


def _floor(total: int) -> float:
    return min(FLOOR_BYTES, FLOOR_SHARE * total)


def _room(folder: Folder) -> tuple[int, int, int | None]:
    """Bytes free for this user, bytes of the file system, and how many files can be made.

    The numbers of bytes are zeros if the folder is missing or its file system does not report them. The number of files
    is None then, and for a file system that makes inodes on demand.
    """
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0, 0, None
    left = found.f_favail if found.f_files else None
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize, left
