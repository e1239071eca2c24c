"""Whether a process is there, for those who only want to say so."""

from __future__ import annotations

import os


def is_there(pid: int) -> bool:
    """Whether some process has this number; also true for one of another user."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
