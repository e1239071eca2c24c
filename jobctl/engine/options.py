"""What an engine is started for."""

from __future__ import annotations

from dataclasses import dataclass

from jobctl.engine.attempts import recovery


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What this engine is for."""

    slots: int
    scope: int | None = None  # work off foreground jobs and end with this one; None = everything
    drain: bool = False  # end when nothing is left to do
    elastic: bool = False  # ``slots`` is a limit (0 = none); how many there are is told by the executor
    place: recovery.Place = recovery.HERE
    devices: int = 0  # GPUs of this machine


#: More slots than any cluster has.
NO_LIMIT = 1 << 20
