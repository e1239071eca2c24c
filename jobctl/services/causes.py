"""``jobctl causes``: all causes of failure of a job, each with items in their own words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from jobctl.config import Home
from jobctl.domain.durations import format_time
from jobctl.domain.nearest import did_you_mean
from jobctl.errors import UsageError, no_such_job
from jobctl.services.control.targets import resolve_job
from jobctl.store import failures
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import failures as failure_views
from jobctl.store.views import jobs as job_views
from jobctl.store.views.failures import FailureView
from jobctl.store.views.jobs import JobView

if TYPE_CHECKING:
    from jobctl.domain.documents.causes import CauseSampleBlock, CausesDocument, ListedCauseBlock

SCHEMA: Final = "jobctl.causes/1"
#: The items that each cause is shown with.
_SAMPLES = 3
#: The orders of the list: the cause of most items first, the oldest first, the one that was met last first.
SORTS: dict[str, Callable[[FailureView], Any]] = {
    "items": lambda cause: (-cause.items, -cause.attempts, cause.id),
    "first": lambda cause: (cause.first_at, cause.id),
    "last": lambda cause: (-cause.last_at, cause.id),
}


def parse_sort(text: str) -> str:
    """Return the order that a word names. Raises UsageError with the valid words."""
    if text not in SORTS:
        known = f"it is one of {', '.join(SORTS)}"
        raise UsageError(f"--sort: there is no order {text!r}", hint=did_you_mean(text, SORTS, known))
    return text


def causes_of(home: Home, text: str, *, sort: str = "items", limit: int = 0, program: str = "jobctl") -> CausesDocument:
    """Return ``jobctl.causes/1`` of the job that a word names; ``limit`` 0 means all. Raises NotFound, UsageError."""
    with closing(open_database(home)) as database:
        return causes_document(database, resolve_job(database, text), sort=sort, limit=limit, program=program)


def causes_document(
    database: Database, number: int, *, sort: str = "items", limit: int = 0, program: str = "jobctl"
) -> CausesDocument:
    """Return ``jobctl.causes/1`` of a job; ``limit`` 0 means all. Raises NotFound."""
    with database.snapshot():
        job = job_views.job(database, number)
        if job is None:  # it was removed a moment ago
            raise no_such_job(number)
        causes = sorted(failure_views.failures(database, number), key=SORTS[sort])
        names = cause_names(causes)
        shown = causes[: limit or len(causes)]
        return {
            "schema": SCHEMA,
            "job": number,
            "name": job.name,
            "failed": job.failed,
            "causes": [_block(database, job, cause, names[cause.id], program) for cause in shown],
            "causes_total": len(causes),
            "ungrouped": job.failures_ungrouped,
        }


def cause_names(causes: Sequence[FailureView]) -> dict[int, str]:
    """Return the words by which ``--cause`` selects each cause of a job, by the number of the cause."""
    codes = Counter(cause.code for cause in causes)
    return {cause.id: cause.code if codes[cause.code] == 1 else f"{cause.code}:{cause.id}" for cause in causes}


def _block(database: Database, job: JobView, cause: FailureView, name: str, program: str) -> ListedCauseBlock:
    has_items = bool(cause.items or job.retrying)
    return {
        "cause": name,
        "code": cause.code,
        "message": cause.message,
        "items": cause.items,
        "attempts": cause.attempts,
        "retryable": bool(cause.retryable),
        "outcome": "unknown" if cause.outcome == "unknown" else "known",
        "first_at": format_time(cause.first_at),
        "last_at": format_time(cause.last_at),
        "samples": _samples(database, job.id, cause),
        "command": f"{program} items {job.id} --cause {name}" if has_items else None,
    }


def _samples(database: Database, job: int, cause: FailureView) -> list[CauseSampleBlock]:
    """Items that failed for a cause, or that met it, with the messages that they wrote."""
    known = failures.samples_of(cause.samples)
    failed = failures.failed_samples(database, job, cause.id, known) if cause.items else []
    found = failures.messages(database, job, cause.id, (failed or known)[:_SAMPLES])
    return [{"item": item, "message": message} for item, message in found]
