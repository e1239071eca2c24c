"""What an item needs besides a slot, and what a worker has of it: numbers by name."""

from __future__ import annotations

import re

from jobctl.errors import UsageError


def parse_resources(text: str) -> dict[str, float]:
    """``gpu=1,mem=8`` as numbers by name. Raises UsageError."""
    found: dict[str, float] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*([A-Za-z][A-Za-z0-9_.-]*)\s*=\s*(\d+(?:\.\d+)?)\s*", part)
        if match is None or not float(match[2]):
            raise UsageError(f"{text!r} does not say how much of what", hint="for example gpu=1,mem=8")
        found[match[1]] = float(match[2])
    return found
