"""Finds out if items that run on this machine can have a priority."""

from __future__ import annotations

import os

from jobctl.errors import UsageError


def check_nice(nice: int) -> None:
    """Raises UsageError if this user may not raise the priority of a process this far."""
    own = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, min(own, own + nice))
    except OSError:
        raise UsageError(
            f"{nice} raises the priority of items, and this user may not do that",
            hint="give 0 to 19, or let root submit the job and run the daemon",
        ) from None
    os.setpriority(os.PRIO_PROCESS, 0, own)


def check_ionice(_ionice: str) -> None:
    """Raises UsageError if the program that sets the priority is missing."""
    import shutil

    if shutil.which("ionice", path=f"{os.defpath}:{os.environ.get('PATH', '')}") is None:
        raise UsageError(
            "cannot be set: the program ionice is not on this machine", hint="install util-linux, or leave it out"
        )
