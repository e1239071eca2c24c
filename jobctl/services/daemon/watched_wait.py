"""A wait that a person watches: how often it shows what it waits for, and the figures that it shows.

The figures come from a connection of their own, so a wait needs nothing of them. They are never a reason for an error:
a store that cannot be read has none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import NamedTuple

from jobctl.config import Home
from jobctl.domain.states import TERMINAL_JOB_STATES
from jobctl.errors import JobctlError
from jobctl.services.daemon.running import running_in, running_of
from jobctl.store import sqlite
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import jobs as job_views

#: Called by a wait at its beginning and about every LOOK_EVERY_S seconds; None if nobody watches.
Look = Callable[[], None]
#: Seconds between two calls.
LOOK_EVERY_S = 1.0
#: With more jobs, the figures would take longer to read than they are worth: only jobs are counted.
_MOST_JOBS = 500


class Awaited(NamedTuple):
    """The figures of some jobs."""

    jobs: int
    done: int  # of these jobs
    state: str  # of the only job, or empty
    processed: int  # items
    total: int
    running: int
    eta_s: float | None  # until the last of them; None if it is not known of one of them


def nap_s(left_s: float | None, look: Look | None) -> float | None:
    """The seconds until a wait with ``left_s`` seconds left has something to do; None = no limit."""
    if look is None:
        return left_s
    return LOOK_EVERY_S if left_s is None else min(left_s, LOOK_EVERY_S)


def awaited(home: Home, jobs: Sequence[int], now: int) -> Awaited | None:
    """The figures of these jobs; None if they cannot be read. ``now`` is in microseconds UTC. Raises nothing."""
    try:
        with closing(open_database(home)) as database:
            return _awaited(database, home, jobs, now)
    except (JobctlError, sqlite.Error, OSError):
        return None


def running_items(home: Home, now: int) -> int | None:
    """The number of items that the daemon is seen to run; None if it cannot be read. Raises nothing."""
    try:
        with closing(open_database(home)) as database:
            return running_in(database, home, now)
    except (JobctlError, sqlite.Error, OSError):
        return None


def _awaited(database: Database, home: Home, jobs: Sequence[int], now: int) -> Awaited:
    states = {job: state for job, (state, _) in job_views.states(database, jobs).items()}
    left = [job for job, state in states.items() if state not in TERMINAL_JOB_STATES]
    state = next(iter(states.values()), "") if len(jobs) == 1 else ""
    if len(jobs) > _MOST_JOBS:
        return Awaited(len(jobs), len(jobs) - len(left), state, 0, 0, 0, None)
    views = [view for job in jobs if (view := job_views.job(database, job)) is not None]
    return Awaited(
        len(jobs),
        len(jobs) - len(left),
        state,
        sum(view.processed for view in views),
        sum(view.total for view in views),
        sum(running_of(database, home, job, now) for job in left),
        _eta_s(database, home, left, now),
    )


def _eta_s(database: Database, home: Home, jobs: Sequence[int], now: int) -> float | None:
    """The seconds until the last of these jobs is done, if the end of each is known."""
    from jobctl.services.status.document import job_documents

    found = [document["progress"]["eta_s"] for document in job_documents(database, home, jobs, now)]
    known = [eta for eta in found if eta is not None]
    return max(known) if known and len(known) == len(found) else None
