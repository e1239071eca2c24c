"""Finds out if an engine that ends by itself has something left to do."""

from __future__ import annotations

from jobctl.domain.states import Stop
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.engine.jobs.live_jobs import LiveJobs


def has_future(live_jobs: LiveJobs, live: LiveJob) -> bool:
    """True if something will happen to a job, or to those that it waits for, without a command."""
    if live.sweeps:  # a set of its items is being cancelled
        return True
    if live.stop is not None or not live.has_future:
        return live.stop is not None
    awaited = [*live.waits_for, *(live.follows if not live.live else ())]
    others = [other for other in map(live_jobs.get, awaited) if other is not None]
    return all(has_future(live_jobs, other) for other in others)


def is_served(live_jobs: LiveJobs, job: int) -> bool:
    """True if nothing is left to do for the one job that this engine is for.

    A job that does not run in the foreground need not finish: the engine was started to end some of its items. A job
    that can never start because of that end is ended too, and so is every job after it.
    """
    live = live_jobs.get(job)
    if live is not None and (live.row.foreground or live.stop is not None or live.sweeps):
        return False
    return not any(_ends_with_another(each) or _takes_back(each, job) for each in live_jobs)


def _takes_back(live: LiveJob, job: int) -> bool:
    """True if a job runs in the foreground to take back rows of another, and nothing holds it."""
    return live.row.undo_of == job and bool(live.row.foreground) and live.has_future


def _ends_with_another(live: LiveJob) -> bool:
    """True if a job must end because of a job that it comes after, and can end now."""
    return not live.unwritten and (live.stop is Stop.DEPENDENCY or live.must_stop_unstarted)
