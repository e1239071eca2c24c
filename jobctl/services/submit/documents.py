"""The documents of a submission: the accepted job, and the result of a dry run."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from jobctl.config import Home
from jobctl.services.submit.request import Accepted, Preview, on_placeholders

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument
    from jobctl.domain.documents.submit import PreviewDocument
    from jobctl.services.why.reason import StateReport


def job_of(home: Home, job: int, now: int, program: str) -> StatusDocument:
    """Return ``jobctl.status/1`` of a job that was just accepted; ``now`` is in microseconds UTC."""
    from jobctl.services.status.document import job_document
    from jobctl.store.opening.open import open_database

    with closing(open_database(home)) as database:
        return job_document(database, home, job, now, program=program)


def state_report_of(home: Home, job: int, now: int, program: str) -> StateReport:
    """Return the state of a job with its reason, without the cost of a document; ``now`` is in microseconds UTC."""
    from jobctl.services.why.reason import state_report
    from jobctl.store.opening.open import open_database

    with closing(open_database(home)) as database:
        return state_report(database, home, job, now, program=program)


def accepted_document(home: Home, accepted: Accepted, now: int, program: str) -> StatusDocument:
    """Return ``jobctl.status/1`` of an accepted job, with the answer whether it existed before."""
    document = job_of(home, accepted.job, now, program)
    document["idempotency"]["replayed"] = accepted.replayed
    return document


def preview_document(found: Preview) -> PreviewDocument:
    """Return ``jobctl.preview/1``."""
    return {
        "schema": "jobctl.preview/1",
        "format": found.format,
        "columns": list(found.columns),
        "first": [list(row) for row in found.shown],
        "rows": found.rows,
        "rejected": found.rejected,
        "not_selected": found.not_selected,
        "skipped": found.skipped,
        "follows": [{"job": job, "rows": rows} for job, rows in found.followed],
        "replay_of": found.replay_of,
        "notices": [*found.notices, *on_placeholders(found, found.rows)],
        "problems": [problem.sentence() for problem in found.problems.first],
        "commands": [list(command) for command in found.commands],
    }
