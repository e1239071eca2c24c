"""What a process takes up."""

from __future__ import annotations

import os


def resident_bytes(pid: int) -> int | None:
    """Memory a process has in RAM; None if it is gone or the system does not tell so."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None
