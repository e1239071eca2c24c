"""The events of the attempts of one job since the last commit."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobctl.domain.endings import Ending
from jobctl.domain.ports import AttemptId, Calls, Finished, Lost, Returned, Started
from jobctl.store import attempts
from jobctl.store.database import Database


@dataclass(slots=True)
class Batch:
    """Events of one job, by kind."""

    started: dict[tuple[int, int], Started] = field(default_factory=dict)
    finished: list[Finished] = field(default_factory=list)
    calls: list[Calls] = field(default_factory=list)  # of calls that succeeded
    returned: list[Returned] = field(default_factory=list)

    def is_empty(self) -> bool:
        """True if there is nothing to write."""
        return not (self.started or self.finished or self.calls or self.returned)

    def durations(self) -> list[int]:
        """The duration of each attempt that ended, in microseconds."""
        durations = [f.duration_us for f in self.finished]
        durations += [record[3] for made in self.calls for record in made.records]
        return durations


def lost_as_finished(database: Database, lost: Lost, until: int) -> Finished:
    """The ending of an attempt that is lost: interrupted. It is known to have run until the moment ``until``."""
    start = attempts.recorded_start(database, AttemptId(*lost)) or (0, until, 0, 0, 0)
    slot, started_at, log, out_off, err_off = start
    duration = max(0, until - started_at)
    return Finished(
        *lost, Ending.INTERRUPTED, 0, slot, started_at, duration, 0, 0, log, out_off, 0, err_off, 0, 0, b"", b""
    )
