"""Who acts, for the journal."""

from __future__ import annotations

import os


def actor() -> str:
    """The user and process that run this command."""
    user = os.environ.get("USER") or os.environ.get("LOGNAME") or str(os.geteuid())
    return f"{user} (pid {os.getpid()})"
