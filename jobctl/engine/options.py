"""The purpose of an engine."""

from __future__ import annotations

from dataclasses import dataclass

from jobctl.engine.attempts.recovery import NO_CLUSTER, ClusterChoice

#: More slots than any cluster has.
_NO_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """The purpose of this engine, and the executor that it works with."""

    slots: int
    scope: int | None = None  # run foreground jobs only, and end with this one; None = every job
    drain: bool = False  # end when nothing is left to do
    elastic: bool = False  # ``slots`` is a limit (0 = none); the executor says how many there are
    cluster: ClusterChoice = NO_CLUSTER
    devices: int = 0  # GPUs of this machine

    @property
    def most_slots(self) -> int:
        """The number of slots that the executor may not exceed."""
        return self.slots or _NO_LIMIT
