"""Waiting until jobs are done, woken by the database and not by a clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from jobctl.config import Home
from jobctl.domain.states import TERMINAL_JOB_STATES, JobState
from jobctl.errors import Exit, NotFound
from jobctl.services.changes import StoreWatch
from jobctl.store import views
from jobctl.store.database import Database

#: Exit code of each way to end, the worst first.
_BY_SEVERITY = (
    (JobState.FAILED, Exit.FAILED),
    (JobState.EXPIRED, Exit.EXPIRED),
    (JobState.CANCELLED, Exit.CANCELLED),
    (JobState.PARTIAL, Exit.PARTIAL),
)


def exit_code_of(states: Sequence[str]) -> Exit:
    """The exit code for jobs that ended so: that of the worst. A job that is not done counts as no trouble yet."""
    return next((code for state, code in _BY_SEVERITY if state in states), Exit.OK)


def wait(
    database: Database, home: Home, jobs: Sequence[int], timeout_s: float | None, done: Callable[[int, str], None]
) -> dict[int, str]:
    """Wait until every job is done or the time is over; returns the state of each.

    ``done`` is called once for each job that is or becomes done, with its state. Raises NotFound when a job is
    removed meanwhile.
    """
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    told: set[int] = set()
    # The watch begins before the first look, so that nothing can happen unseen between the two.
    with StoreWatch(database, home) as watch:
        while True:
            states = _states(database, jobs)
            for job, state in states.items():
                if state in TERMINAL_JOB_STATES and job not in told:
                    told.add(job)
                    done(job, state)
            left = None if deadline is None else deadline - time.monotonic()
            if len(told) == len(states) or (left is not None and left <= 0):
                return states
            watch.wait(left)


def _states(database: Database, jobs: Sequence[int]) -> dict[int, str]:
    found = {job: state for job, (state, _) in views.states(database, jobs).items()}
    for job in jobs:
        if job not in found:
            raise NotFound(f"job {job} was removed while it was waited for", hint="jobctl status --all")
    return found
