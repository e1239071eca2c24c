"""The acceptance of a job by a command: how far its rows are read or written, and what Ctrl-C has left."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, TypeVar

from jobctl.cli import standard
from jobctl.cli.session import Session
from jobctl.cli.submission.reading_progress import ReadingProgress

if TYPE_CHECKING:
    from jobctl.services.submit.request import Accepted


class _Made(Protocol):
    @property
    def job(self) -> int: ...


_Progress = TypeVar("_Progress")
_Answer = TypeVar("_Answer", bound=_Made)


def make_job(
    progress: AbstractContextManager[_Progress],
    make: Callable[[_Progress], _Answer],
    left_by: Callable[[int | None], str],
) -> _Answer:
    """Call ``make``, which makes a job, and show its progress; returns its answer.

    ``left_by`` is the line of a command that is interrupted before it can say what it did: for the number of the job,
    or for None if there is no job.
    """
    try:
        with progress as watch:
            made = make(watch)
    except KeyboardInterrupt as error:
        standard.done_lines[:] = [left_by(getattr(error, "job", None))]
        raise
    standard.done_lines[:] = [left_by(made.job)]
    return made


def accept_job(shared: Session, accept: Callable[[ReadingProgress], Accepted]) -> Accepted:
    """Accept a job whose rows are read, with the progress of reading."""

    def left_by(job: int | None) -> str:
        if job is None:
            return "nothing was accepted"
        return f"  job {job} was accepted nevertheless: {shared.program} status {job}"

    return make_job(ReadingProgress(shared), accept, left_by)
