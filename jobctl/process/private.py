"""Opening private files and folders so that nothing planted in their place is read, written or waited for."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

_OPEN = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # without O_NONBLOCK, a planted FIFO would block for ever
_NEW = os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def is_plain(status: os.stat_result) -> bool:
    """True if it is a regular file of this user with exactly one name."""
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and status.st_uid == os.geteuid()


def open_plain(path: str, flags: int) -> int:
    """Open a file of this user (0600 if it is made); returns the descriptor. Raises OSError, also for anything else.

    It makes no file in a folder of another user: a file that root made there would lock the owner out.
    """
    if flags & os.O_CREAT and not _is_ours(os.path.dirname(path)) and not os.path.lexists(path):
        raise PermissionError(errno.EPERM, "its folder belongs to another user", path)
    fd = os.open(path, flags | _OPEN, 0o600)
    if is_plain(os.fstat(fd)):
        return fd
    os.close(fd)
    raise OSError(errno.EEXIST, "something that is not a plain file of this user is in its place", path)


def _is_ours(folder: str) -> bool:
    return os.stat(folder or ".").st_uid == os.geteuid()


def create(path: str | os.PathLike[str], flags: int = os.O_WRONLY) -> int:
    """Make a new file, 0600, and remove what is in its place; returns the descriptor. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return os.open(path, flags | _NEW, 0o600)


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder, 0700, unless it exists. Raises OSError, also for a symbolic link in its place."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise OSError(errno.ENOTDIR, "something that is not a folder of this user is in its place", os.fspath(path))
