"""Room on the file system of the store: too little of it, and nothing new is started."""

from __future__ import annotations

import os

from jobctl.domain.wording import percent, size

#: Little is: less than this...
FLOOR_BYTES = 512 << 20
#: ...or, on a file system so small that this is much of it, less than this share.
FLOOR_SHARE = 0.02
#: How the daemon's word about it begins.
PAUSED = "paused: disk"


def shortage(root: str | os.PathLike[str]) -> str:
    """What is short, with figures, as in ``81 MiB of 12 GiB free (0.7 %)``; empty when there is room."""
    try:
        found = os.statvfs(root)
    except OSError:  # no such directory yet, or a file system that does not say
        return ""
    free, total = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    if not total or free >= min(FLOOR_BYTES, FLOOR_SHARE * total):
        return ""
    return f"{size(free)} of {size(total)} free ({percent(free, total)}) in {root}"
