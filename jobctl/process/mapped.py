"""Files of ours that are mapped into memory: what was written to them outlives any kill of the writer."""

from __future__ import annotations

import mmap
import os

from jobctl.process.private import open_plain


def open_mapped(path: str, size: int) -> mmap.mmap:
    """Map a private file of ``size`` bytes, made of zeros if there is none. Raises OSError, also for a planted one."""
    fd = open_plain(path, os.O_RDWR | os.O_CREAT)
    try:
        # Blocks for all of it, or a full disk would end us with SIGBUS.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(fd, 0, size)
        else:
            os.truncate(fd, size)
        return mmap.mmap(fd, size)
    finally:
        os.close(fd)
