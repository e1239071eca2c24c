"""The wall clock together with a clock that cannot be set, read at the same moment.

The wall clock may be set at any time. A time that is stored for later therefore needs both: the difference of two
readings tells by how much the wall clock was set between them.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable

#: This clock continues while the machine sleeps, so that waking up is not taken for a clock that was set.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_UPTIME = "/proc/uptime"
_OFFSETS = "/proc/self/timens_offsets"


class Moment(int):
    """Microseconds UTC of the wall clock, with the reading of the steady clock at the same moment."""

    steady: int
    boot: str  # which steady clock; empty = the one of this machine since its last start

    def __new__(cls, wall: int, steady: int, boot: str = "") -> Moment:
        made = super().__new__(cls, wall)
        made.steady = steady
        made.boot = boot
        return made

    def __reduce__(self) -> tuple[type[int], tuple[int]]:
        """Make copies plain numbers: code that keeps a copy does not compare clocks."""
        return int, (int(self),)

    @property
    def ahead(self) -> int:
        """The lead of the wall clock over the steady clock. It changes only when someone sets the wall clock."""
        return self - self.steady


def now() -> Moment:
    """This moment."""
    return Moment(time.time_ns() // 1_000, _steady()())


@functools.cache
def _steady() -> Callable[[], int]:
    """The function that reads the steady clock. libfaketime may move that clock too; then only /proc/uptime is true."""
    if "faketime" not in os.environ.get("LD_PRELOAD", ""):
        return _clock_us
    try:
        return _clock_us if abs(_clock_us() - _uptime_us()) < 1_000_000 else _uptime_us
    except (OSError, ValueError):
        return _clock_us


def _clock_us() -> int:
    return time.clock_gettime_ns(_STEADY) // 1_000


def _uptime_us() -> int:
    with open(_UPTIME, encoding="ascii") as file:
        return int(float(file.read().split()[0]) * 1e6)


def on_the_machine(moment: Moment) -> tuple[str, int]:
    """(boot, steady clock) of a moment, such that processes of other time namespaces can compare them."""
    if moment.boot:
        return moment.boot, moment.steady
    boot, offset = _boot()
    return boot, moment.steady - offset


@functools.cache
def _boot() -> tuple[str, int]:
    """The id of this start of the machine, and by how much this time namespace moves the steady clock.

    Without /proc two starts of the machine cannot be distinguished: every process then counts as a start of its own.
    """
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            boot = file.read().strip()
    except (OSError, ValueError):
        boot = ""
    return boot or f"process-{os.getpid()}-{os.urandom(4).hex()}", _offset_us()


def _offset_us() -> int:
    try:
        with open(_OFFSETS, encoding="ascii") as file:
            for line in file:
                name, *parts = line.split()
                if name == "boottime" or name == "7":
                    return int(parts[0]) * 1_000_000 + int(parts[1]) // 1_000
    except (OSError, ValueError, IndexError):
        pass
    return 0
