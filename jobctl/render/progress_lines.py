"""Lines about jobs for pipes and logs: when a state changes, and from time to time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

from jobctl.render.lines import progress_line

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument

#: Seconds between two lines about a job whose state does not change: their reader sees that the work continues.
LINE_EVERY_S = 30.0


class ProgressLines:
    """Writes lines about jobs: when a state changes, and from time to time."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._last: dict[int, tuple[str, float]] = {}

    def show(self, jobs: Sequence[StatusDocument]) -> None:
        """Write a line for each job whose state has changed, or whose last line is old."""
        now = self._clock()
        for job in jobs:
            state, at = self._last.get(job["job"], ("", 0.0))
            if state != job["state"] or (not job["done"] and now - at >= LINE_EVERY_S):
                self._last[job["job"]] = (job["state"], now)
                self._stream.write(progress_line(job) + "\n")
        self._stream.flush()
