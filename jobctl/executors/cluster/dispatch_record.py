"""The records of the engine about the packs that it has sent: their attempts, and the outcomes to acknowledge."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobctl.domain.ports import AttemptId, Finished, Lost, Started
from jobctl.supervisor.backlog import JobLine


@dataclass(slots=True)
class DispatchRecord:
    """A pack that was sent and is not over."""

    key: str
    worker: str
    waiting: set[AttemptId]  # attempts without an outcome
    slots: dict[int, int]  # the slot of each job in it
    lines: dict[int, JobLine] = field(default_factory=dict)  # the jobs whose slots it holds; empty when found again
    running: dict[AttemptId, Started] = field(default_factory=dict)
    unacknowledged: set[AttemptId] = field(default_factory=set)
    is_over: bool = False
    resources: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class PackOutcome:
    """The outcome of an attempt, kept until it is acknowledged."""

    event: Finished | Lost
    key: str
