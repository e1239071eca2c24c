"""Writes the lines about the cluster in the daemon's log."""

from __future__ import annotations

import time

from jobctl.process.own_log import say


def log(text: str) -> None:
    """Write a line with the time to the daemon's log. A full disk loses the line and raises nothing."""
    say(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} cluster: {text}")
