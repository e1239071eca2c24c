"""The retry of a job that another one waits for, with the rules that it needs."""

from __future__ import annotations

import json

from jobctl.domain.policy import Policy
from jobctl.domain.retry_advice import CAUSES, Advice, retry_advice, retry_command
from jobctl.store.database import Database
from jobctl.store.failures import codes
from jobctl.store.views import jobs as job_views
from jobctl.store.views.jobs import JobView


def advice_for(database: Database, job: JobView, now: int) -> Advice:
    """The rules that a retry of a job needs; ``now`` is in microseconds UTC."""
    policy = Policy.from_json(json.loads(job.policy))
    return retry_advice(policy, codes(database, job.id, CAUSES), job.state, now)


def retry_of(database: Database, number: int, now: int, program: str) -> str:
    """The command that retries a job; ``program`` is the command line of jobctl."""
    job = job_views.job(database, number)
    return retry_command(program, number, Advice() if job is None else advice_for(database, job, now))
