"""The user and process that act, for the journal."""

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
