"""``jobctl run --resume``: find the job that is to be continued in the foreground."""

from __future__ import annotations

from contextlib import closing

from jobctl.config import Home
from jobctl.domain.policy import Policy
from jobctl.domain.states import TERMINAL_JOB_STATES, JobState
from jobctl.errors import UsageError
from jobctl.services.control.targets import existing_job, resolve_job
from jobctl.services.status.document import job_document
from jobctl.services.submit import idempotency
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database


def job_to_resume(home: Home, text: str, now: int, *, program: str = "jobctl") -> tuple[int, Policy]:
    """Return the number and the policy of the job that a word names; ``now`` is in microseconds UTC.

    Raises NotFound, and UsageError for a job that is done or paused, with the command to type.
    """
    with closing(open_database(home)) as database:
        row = existing_job(database, resolve_job(database, text))
        if row.state in TERMINAL_JOB_STATES:
            raise _done(database, home, row.id, now, program)
        if row.state == JobState.PAUSED:
            again = f"{program} run --resume {row.id}"
            raise UsageError(
                f"job {row.id} is paused, so it would not end", hint=f"{program} resume {row.id} && {again}"
            )
        return row.id, row.policy


def _done(database: Database, home: Home, job: int, now: int, program: str) -> UsageError:
    document = job_document(database, home, job, now, program=program)
    retry = document["retry"]["command"]
    hint = f"{retry} && {program} run --resume {job}" if retry else f"{program} results {job}"
    return UsageError(f"job {job} is done ({document['state']}): there is nothing to continue", hint=hint)


def take_to_foreground(home: Home, job: int) -> None:
    """Let an engine for foreground jobs run this job, and the jobs that it waits for."""
    with closing(open_database(home)) as database, database.transaction():
        idempotency.take_to_foreground(database, job)
