"""Private files that are mapped into memory: their content survives any kill of the writer."""

from __future__ import annotations

import mmap
import os

from jobctl.process.private import open_plain

_AT_ONCE = 1 << 16
_ZEROS = bytes(_AT_ONCE)


def open_mapped(path: str, size: int) -> mmap.mmap:
    """Map a private file of ``size`` bytes; a new one has zeros. Raises OSError, also for one that others planted."""
    fd = open_plain(path, os.O_RDWR | os.O_CREAT)
    try:
        # Allocate all blocks now: without one, a write on a full disk would end this process with SIGBUS.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(fd, 0, size)
        else:
            os.truncate(fd, size)
        return mmap.mmap(fd, size)
    finally:
        os.close(fd)


def wipe(room: mmap.mmap, start: int, stop: int) -> None:
    """Overwrite a part with zeros. Blocks of zeros are skipped: a write would make every page dirty."""
    for at in range(start, stop, _AT_ONCE):
        end = min(at + _AT_ONCE, stop)
        if room[at:end] != _ZEROS[: end - at]:
            room[at:end] = _ZEROS[: end - at]


def wipe_ring(room: mmap.mmap, ring_at: int, size: int, start: int, length: int) -> None:
    """Overwrite ``length`` bytes of a ring of ``size`` bytes with zeros, from the position ``start`` in it on."""
    start %= size
    first = min(length, size - start)
    wipe(room, ring_at + start, ring_at + start + first)
    wipe(room, ring_at, ring_at + length - first)
