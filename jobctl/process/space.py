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
    free, total = _room(root)
    return said(root) if total and free < _floor(total) else ""


def above_floor(root: str | os.PathLike[str]) -> int | None:
    """Bytes that can be written before there is a shortage; None where the file system does not say."""
    free, total = _room(root)
    return int(free - _floor(total)) if total else None


def said(root: str | os.PathLike[str]) -> str:
    """How much there is, as in ``81 MiB of 12 GiB free (0.7 %) in /var/queue``."""
    free, total = _room(root)
    return f"{size(free)} of {size(total)} free ({percent(free, total)}) in {root}"


def _floor(total: int) -> float:
    return min(FLOOR_BYTES, FLOOR_SHARE * total)


def _room(root: str | os.PathLike[str]) -> tuple[int, int]:
    """(bytes free for us, bytes of the file system); zeros for no such directory, or one that does not say."""
    try:
        found = os.statvfs(root)
    except OSError:
        return 0, 0
    return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
