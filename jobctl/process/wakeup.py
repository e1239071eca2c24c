"""The FIFO through which a command saves the engine the wait. It carries no data: whoever wakes looks in the store."""

from __future__ import annotations

import contextlib
import os
import stat

from jobctl.errors import HomeError

_ROOM = 4096
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW


class WakeUp:
    """The engine's end."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Make the FIFO if it is not there. Raises HomeError if something else is in its place."""
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        # Read and write, so that it never looks ended and no command finds nobody listening between two reads.
        try:
            self._fd = os.open(path, os.O_RDWR | _FLAGS)
        except OSError as problem:
            raise _not_ours(path) from problem
        if not _is_ours(self._fd):
            os.close(self._fd)
            raise _not_ours(path)

    def fileno(self) -> int:
        """Readable when somebody woke us."""
        return self._fd

    def drain(self) -> None:
        """Take note; wakes that come from now on are new ones."""
        with contextlib.suppress(BlockingIOError):
            while len(os.read(self._fd, _ROOM)) == _ROOM:
                pass

    def ring(self) -> None:
        """Wake ourselves; may be called from another thread."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._fd, b"w")

    def close(self) -> None:
        """Stop listening."""
        os.close(self._fd)


def wake(path: str | os.PathLike[str]) -> bool:
    """Wake the engine; False if that was not possible, which is fine: it looks when it starts, and from time to time.

    It never raises. Whoever wakes has just committed something, and must not report that as a failure.
    """
    try:
        fd = os.open(path, os.O_WRONLY | _FLAGS)
    except OSError:
        return False
    try:
        if not _is_ours(fd):
            return False
        os.write(fd, b"w")
    except BlockingIOError:
        pass  # full: it has been woken often enough
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def _is_ours(fd: int) -> bool:
    status = os.fstat(fd)
    return stat.S_ISFIFO(status.st_mode) and status.st_uid == os.geteuid()


def _not_ours(path: str | os.PathLike[str]) -> HomeError:
    return HomeError(
        f"{os.fspath(path)} is not a FIFO of ours",
        hint="look at what it is; if it is nothing you need, remove it and start again",
    )
