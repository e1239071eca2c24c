"""Files and folders of ours, opened so that nothing planted in their place is read, written or waited for."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # not blocking: or a FIFO in its place would keep us for ever
_NEW = os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def is_plain(status: os.stat_result) -> bool:
    """Whether it is a file of ours that has one name only."""
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and status.st_uid == os.geteuid()


def open_plain(path: str, flags: int) -> int:
    """Open a file of ours (0600 if it is made); returns the descriptor. Raises OSError, also for anything else.

    None is made in a folder of another user: one that root made there would lock its owner out.
    """
    if flags & os.O_CREAT and not _is_ours(os.path.dirname(path)) and not os.path.lexists(path):
        raise PermissionError(errno.EPERM, "its folder belongs to another user", path)
    fd = os.open(path, flags | _OPEN, 0o600)
    if is_plain(os.fstat(fd)):
        return fd
    os.close(fd)
    raise OSError(errno.EEXIST, "something that is no plain file of ours is in its place", path)


def _is_ours(folder: str) -> bool:
    return os.stat(folder or ".").st_uid == os.geteuid()


def create(path: str | os.PathLike[str], flags: int = os.O_WRONLY) -> int:
    """A new file, 0600, in the place of whatever is there; returns the descriptor. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return os.open(path, flags | _NEW, 0o600)


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder, 0700, unless it is there. Raises OSError, also for a link in its place."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise OSError(errno.ENOTDIR, "something that is no folder of ours is in its place", os.fspath(path))
