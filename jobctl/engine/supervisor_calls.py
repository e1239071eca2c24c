"""The module that a supervisor of an earlier release imports instead of ``supervisor.calls.pool``.

A supervisor imports its part for calls when the first job with a function arrives. If jobctl was upgraded under it,
the part that it finds belongs to another release, and the two together could lose outcomes. So this one starts
nothing: it ends the engine, whose successor finds out about the upgrade, and the daemon drains and starts again as the
new release. Killing an engine loses nothing. Remove this module when no daemon of 0.1.0 can run any more.
"""

from __future__ import annotations

import sys
from typing import Any


class _NotStarted:
    """A worker that must wait for the new release: the supervisor puts its call back, as under a lack of memory."""

    def __init__(self, id_: tuple[int, int, int], line: Any, slot: int, serial: int) -> None:
        self.id, self.line, self.slot, self.serial = id_, line, slot, serial
        self.plan = line.extra
        self.devices: tuple[str, ...] = ()

    def start(self, *_dispatch: Any) -> None:
        raise sys.modules[type(self.plan).__module__].PressureError(
            "jobctl was upgraded; the daemon starts again first"
        )


class Calls:
    """Has the interface of the pool, and runs nothing."""

    worker = _NotStarted

    def __init__(self, _attempts: Any, _poll: Any, tell: Any, _kept: Any) -> None:
        self.workers: dict[int, Any] = {}
        tell.__self__.kill()  # ``tell`` is a method of the supervisor's engine

    def held(self) -> list[Any]:
        return []

    tell_again = acknowledge = recall = lambda *_: None
