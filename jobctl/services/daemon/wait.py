"""Wait until jobs are done. Commits wake the wait, not a clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing

from jobctl.config import Home
from jobctl.domain.blocker_kinds import DAEMON_DOWN
from jobctl.domain.states import TERMINAL_JOB_STATES, JobState
from jobctl.errors import Busy, Exit, NotFound, WaitTimeout
from jobctl.process import lock, moment
from jobctl.services.daemon.absence import HOW_TO_START
from jobctl.services.daemon.changes import StoreWatch
from jobctl.services.daemon.view import daemon_view
from jobctl.services.daemon.watched_wait import Look, nap_s
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import jobs as job_views

#: Exit code of each way to end, the worst first.
_BY_SEVERITY = (
    (JobState.FAILED, Exit.FAILED),
    (JobState.EXPIRED, Exit.EXPIRED),
    (JobState.CANCELLED, Exit.CANCELLED),
    (JobState.PARTIAL, Exit.PARTIAL),
)


def exit_code_of(states: Sequence[str]) -> Exit:
    """Return the exit code for jobs in these states: that of the worst one.

    A job that is not done counts as a success.
    """
    return next((code for state, code in _BY_SEVERITY if state in states), Exit.OK)


def wait(
    database: Database,
    home: Home,
    jobs: Sequence[int],
    timeout_s: float | None,
    done: Callable[[int, str], None],
    look: Look | None = None,
) -> dict[int, str]:
    """Wait until every job is done or ``timeout_s`` seconds have passed; returns the state of each job.

    ``done`` is called once for each job that is done, with its state, and ``look`` from time to time. Raises NotFound
    if a job is removed meanwhile.
    """
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    states: dict[int, str] = dict.fromkeys(jobs, "")
    # The watch begins before the first look, so that nothing can happen unseen between the two.
    with StoreWatch(database, home) as watch:
        while True:
            found = _states(database, [job for job, state in states.items() if state not in TERMINAL_JOB_STATES])
            states |= found
            for job, state in found.items():
                if state in TERMINAL_JOB_STATES:
                    done(job, state)
            left = None if deadline is None else deadline - time.monotonic()
            is_over = all(state in TERMINAL_JOB_STATES for state in found.values())
            if is_over or (left is not None and left <= 0):
                return states
            if look is not None:
                look()
            watch.wait(nap_s(left, look))


def wait_for(
    home: Home,
    jobs: Sequence[int],
    timeout_s: float | None,
    done: Callable[[int, str], None],
    look: Look | None = None,
) -> dict[int, str]:
    """``wait`` in the store of a home. Raises NotFound."""
    with closing(open_database(home)) as database:
        return wait(database, home, jobs, timeout_s, done, look)


def timeout_error(home: Home, states: Mapping[int, str], timeout: str | None) -> WaitTimeout | None:
    """Return the error that names the jobs that are not done after ``timeout``; None if all are done."""
    open_jobs = [str(job) for job, state in states.items() if state not in TERMINAL_JOB_STATES]
    if not open_jobs:
        return None
    continues = "the work continues" if lock.holder(str(home.lock)) is not None else DAEMON_DOWN.sentence
    return WaitTimeout(
        f"not done after {timeout}: job {', '.join(open_jobs)}; {continues}",
        hint=f"jobctl status {','.join(open_jobs)}",
    )


#: Seconds that the next daemon may take to start after one has ended, before a job counts as abandoned.
SUCCESSION_S = 10.0
#: Seconds between two looks at a daemon that starts: one that ends at once writes nothing to the store.
START_LOOK_S = 1.0
#: Seconds after which the daemon is looked at again although the store has not changed: its end writes nothing.
LOOK_S = 5.0


def wait_served(home: Home, job: int, serve: Callable[[], object] | None = None, look: Look | None = None) -> str:
    """Wait until a job is done, as long as a daemon runs it; returns its state.

    If no daemon runs it, or the daemon has ended and no other one has started, ``serve`` is called to start one, and
    again as long as another process has the store. Without ``serve``, raises Busy. ``look`` is called from time to
    time.
    """
    with closing(open_database(home)) as database:
        return _wait_served(database, home, job, serve, look)


def _wait_served(
    database: Database, home: Home, job: int, serve: Callable[[], object] | None, look: Look | None
) -> str:
    with StoreWatch(database, home) as watch:
        alone_since: float | None = None
        patience_s = 0.0
        while (state := _states(database, [job])[job]) not in TERMINAL_JOB_STATES:
            if _is_served(database, home, job):
                alone_since, patience_s = None, SUCCESSION_S
            elif alone_since is None:
                alone_since = time.monotonic()
            if alone_since is not None and time.monotonic() - alone_since >= patience_s:
                if serve is None:
                    raise _not_served(database, home, job, state)
                serve()
                alone_since = None
            if look is not None:
                look()
            watch.wait(nap_s(LOOK_S, look))
    return state


def _not_served(database: Database, home: Home, job: int, state: str) -> Busy:
    """The error for a job that no daemon runs, with the reason."""
    from jobctl.services.why.blockers import daemon_blocker  # only this error needs it

    found = daemon_blocker(database, home, job, moment.now(), "jobctl")
    if found is None or found.kind is DAEMON_DOWN:
        return Busy(f"job {job} is accepted and {state}, but {DAEMON_DOWN.sentence}", hint=HOW_TO_START)
    return Busy(f"job {job} is accepted and {state}, but {found.message}", hint=found.remedy)


def is_served_after_start(database: Database, home: Home, job: int) -> bool:
    """Return whether a daemon runs the job. Waits until a daemon that has just started says which jobs it runs."""
    deadline = time.monotonic() + SUCCESSION_S
    with StoreWatch(database, home) as watch:
        while (left := deadline - time.monotonic()) > 0 and _is_starting(database, home):
            watch.wait(min(left, START_LOOK_S))
    return _is_served(database, home, job)


def _is_starting(database: Database, home: Home) -> bool:
    view = daemon_view(database, home, moment.now())
    return view.state == "recovering" and view.started_at is None


def _is_served(database: Database, home: Home, job: int) -> bool:
    """Return whether a daemon runs the job. One that does not respond counts, because it may continue."""
    daemon = daemon_view(database, home, moment.now())
    if daemon.state == "not_responding":
        return True
    foreground = job_views.is_for_foreground(database, job)
    return daemon.serves(job, foreground=foreground)


def _states(database: Database, jobs: Sequence[int]) -> dict[int, str]:
    found = {job: state for job, (state, _) in job_views.states(database, jobs).items()}
    for job in jobs:
        if job not in found:
            raise NotFound(f"job {job} was removed during the wait", hint="jobctl status --all")
    return found
