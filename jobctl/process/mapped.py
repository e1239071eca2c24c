"""Files of ours that are mapped into memory: what was written to them outlives any kill of the writer."""

from __future__ import annotations

import mmap
import os
import stat


def open_mapped(path: str, size: int) -> mmap.mmap:
    """Map a private file of ``size`` bytes, made of zeros if there is none. Raises OSError, also for a planted one."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_uid != os.geteuid():
            raise OSError(f"{path} is not a plain file of ours")
        # Blocks for all of it, or a full disk would end us with SIGBUS.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(fd, 0, size)
        else:
            os.truncate(fd, size)
        return mmap.mmap(fd, size)
    finally:
        os.close(fd)
