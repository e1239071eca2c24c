"""The FIFO through which a command wakes the engine. It carries no data: the engine then looks into the store."""

from __future__ import annotations

import contextlib
import os
import stat

from jobctl.errors import HomeError

_READ_BYTES = 4096
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW


class WakeUp:
    """The engine's end of the FIFO."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Make the FIFO if it does not exist. Raises HomeError if something else is in its place."""
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        # Opened for reading and writing: the FIFO never reports its end, and a command always finds a reader.
        try:
            self._fd = os.open(path, os.O_RDWR | _FLAGS)
        except OSError as problem:
            raise _not_ours(path) from problem
        if not _is_ours(self._fd):
            os.close(self._fd)
            raise _not_ours(path)

    def fileno(self) -> int:
        """A descriptor that is readable when the engine was woken."""
        return self._fd

    def drain(self) -> None:
        """Empty the FIFO; later wakes make it readable again."""
        with contextlib.suppress(BlockingIOError):
            while len(os.read(self._fd, _READ_BYTES)) == _READ_BYTES:
                pass

    def ring(self) -> None:
        """Wake the engine from its own process; another thread may call this."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._fd, b"w")

    def close(self) -> None:
        """Close the FIFO."""
        os.close(self._fd)


def wake(path: str | os.PathLike[str]) -> bool:
    """Wake the engine; False if that is not possible. The engine also looks when it starts, and from time to time.

    It never raises: the caller has just committed something and must not report a failure.
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
        pass  # the FIFO is full, so the engine is being woken already
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
        f"{os.fspath(path)} is not a FIFO of this user",
        hint="check what it is; if you do not need it, remove it and start again",
    )
