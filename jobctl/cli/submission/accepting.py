"""The acceptance of a job by a command: how far its rows are read, and what Ctrl-C has left."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from jobctl.cli import standard
from jobctl.cli.session import Session
from jobctl.cli.submission.reading_progress import ReadingProgress

if TYPE_CHECKING:
    from jobctl.services.submit.request import Accepted


def accept_here(shared: Session, accept: Callable[[ReadingProgress], Accepted]) -> Accepted:
    """Call ``accept`` and show its progress. A command that is interrupted says whether it has accepted the job."""
    try:
        with ReadingProgress(shared) as reading:
            accepted = accept(reading)
    except KeyboardInterrupt as error:
        standard.done_lines[:] = [_after_interrupt(shared, getattr(error, "job", None))]
        raise
    standard.done_lines[:] = [_after_interrupt(shared, accepted.job)]
    return accepted


def _after_interrupt(shared: Session, job: int | None) -> str:
    """The line for a command that ends before it can say what it did."""
    if job is None:
        return "nothing was accepted"
    return f"  job {job} was accepted nevertheless: {shared.program} status {job}"
