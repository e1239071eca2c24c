"""The resources that an item needs in addition to a slot, and that a worker offers: numbers by name."""

from __future__ import annotations

import re

from jobctl.errors import UsageError

_PART = re.compile(r"\s*([A-Za-z][A-Za-z0-9_.-]{0,99})\s*=\s*([0-9]{1,20}(?:\.[0-9]{1,20})?)\s*", re.ASCII)
#: The largest amount and the largest number of resources: more than any worker offers.
MAX_AMOUNT = 1e12
MAX_NAMES = 50


def parse_resources(text: str) -> dict[str, float]:
    """Read ``gpu=1,mem=8`` as numbers by name. Raises UsageError for anything else."""
    found: dict[str, float] = {}
    parts = text.split(",", MAX_NAMES)
    if len(parts) > MAX_NAMES:
        raise UsageError(f"{text!r} names more than {MAX_NAMES} resources", hint="for example gpu=1,mem=8")
    for part in parts:
        match = _PART.fullmatch(part)
        if match is None or not float(match[2]):
            raise UsageError(f"{text!r} does not say how much of what", hint="for example gpu=1,mem=8")
        if float(match[2]) > MAX_AMOUNT:
            raise UsageError(f"{text!r}: the most is {MAX_AMOUNT:.0f}", hint="for example gpu=1,mem=8")
        found[match[1]] = float(match[2])
    return found


def parse_devices(text: str) -> list[str]:
    """Read ``0,1,GPU-8f3c`` as names of devices. Raises UsageError for one that is not a name or occurs twice."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_./:-]{1,100}", name):
            raise UsageError(
                f"{name[:100]!r} is not the name of a device", hint='for example "0,1", which is two of them'
            )
    if len(set(names)) < len(names):
        raise UsageError("a device is named twice: two items would share it", hint='for example "0,1"')
    return names
