"""The file in which an upload waits until all of it is there. It has no name, so no crash leaves it behind."""

from __future__ import annotations

import errno
import os
import threading

from jobctl.config import Home
from jobctl.errors import NoRoom
from jobctl.process import private, space
from jobctl.store.opening.folder import prepare_home

#: Bytes that are written at once; the room on the disk is looked at each time.
AT_ONCE = 1 << 20


class Spool:
    """A file of this process alone, 0600, in the store. Its methods block."""

    def __init__(self, home: Home, expected: int | None) -> None:
        """``expected`` is the number of bytes, if it is known. Raises NoRoom, HomeError, NotFound."""
        self._root = home.root
        prepare_home(home)
        self._check_room(expected or AT_ONCE)
        self._descriptor = _nameless(home)

    @property
    def path(self) -> str:
        """A path at which this process can read the file while it is open."""
        return f"/dev/fd/{self._descriptor}"

    @property
    def size(self) -> int:
        """Bytes that were written."""
        return os.fstat(self._descriptor).st_size

    def write(self, data: bytes) -> None:
        """Append some bytes. Raises NoRoom."""
        self._check_room(len(data))
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise self._no_room() from error
            raise

    def head(self, count: int) -> bytes:
        """The first bytes."""
        return os.pread(self._descriptor, count, 0)

    def close(self) -> None:
        """Remove the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _check_room(self, needed: int) -> None:
        room = space.above_floor(self._root)
        if room is not None and room < needed:
            raise self._no_room()

    def _no_room(self) -> NoRoom:
        problem = space.write_problem(self._root) or space.free_text(self._root)
        return NoRoom(
            f"there is too little room for this upload: {problem}",
            hint="make room, then send it again; nothing was accepted",
        )


def _nameless(home: Home) -> int:
    try:
        return os.open(home.root, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
            raise
    # This file system has no unnamed files.
    path = home.root / f".upload-{os.getpid()}-{threading.get_ident()}"
    descriptor = private.create(path, os.O_RDWR)
    path.unlink()
    return descriptor
