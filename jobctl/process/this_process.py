"""Facts about the process of a command that jobctl stores: its user, for the journal; its umask, for the items."""

from __future__ import annotations

import os
import pwd


def actor() -> str:
    """The user and process that run this command."""
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:  # a container with a number only
        name = f"uid {uid}"
    return f"{name} (pid {os.getpid()})"


def umask() -> int:
    """The umask of this process. It is read without being changed, which another thread would notice."""
    with open("/proc/self/status", "rb") as file:
        for line in file:
            if line.startswith(b"Umask:"):
                return int(line.split()[1], 8)
    mask = os.umask(0o077)  # Linux before 4.7
    os.umask(mask)
    return mask
