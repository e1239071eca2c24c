"""``jobctl causes``: all causes of failure of a job, each with items in their own words."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from jobctl.config import Home
from jobctl.domain.durations import format_time
from jobctl.domain.nearest import did_you_mean
from jobctl.domain.selection import Selection
from jobctl.domain.spans import spelled
from jobctl.domain.states import ItemState
from jobctl.errors import UsageError, no_such_job
from jobctl.services.control.targets import resolve_job
from jobctl.services.selection import SelectedItems
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


class Wanted(NamedTuple):
    """Which causes are listed; ``now``, in microseconds UTC, is for conditions on times."""

    sort: str = "items"
    limit: int = 0  # 0 means all
    selection: Selection = Selection()  # failed items; only causes of these, with their number
    now: int = 0


EVERYTHING: Final = Wanted()


def causes_of(home: Home, text: str, wanted: Wanted, *, program: str = "jobctl") -> CausesDocument:
    """Return ``jobctl.causes/1`` of the job that a word names. Raises NotFound, UsageError."""
    with closing(open_database(home)) as database:
        return causes_document(database, resolve_job(database, text), wanted, program=program)


def causes_document(
    database: Database, number: int, wanted: Wanted = EVERYTHING, *, program: str = "jobctl"
) -> CausesDocument:
    """Return ``jobctl.causes/1`` of a job. Raises NotFound, and UsageError for a condition that does not fit."""
    with database.snapshot():
        job = job_views.job(database, number)
        if job is None:  # it was removed a moment ago
            raise no_such_job(number)
        causes = sorted(failure_views.failures(database, number), key=SORTS[wanted.sort])
        names = cause_names(causes)
        failed, ungrouped = job.failed, job.failures_ungrouped
        if not wanted.selection.is_default:
            causes = sorted(_of_selection(database, number, wanted, causes), key=SORTS[wanted.sort])
            failed, ungrouped = sum(cause.items for cause in causes), 0
        shown = causes[: wanted.limit or len(causes)]
        more = words_of(wanted.selection)
        return {
            "schema": SCHEMA,
            "job": number,
            "name": job.name,
            "failed": failed,
            "causes": [
                _block(database, job, cause, names[cause.id], (f"{program} items {number}", more)) for cause in shown
            ],
            "causes_total": len(causes),
            "ungrouped": ungrouped,
        }


def words_of(selection: Selection) -> str:
    """The options of a selection by number and condition, as a shell reads them, with a space before each."""
    items = f" --items {spelled(selection.items)}" if selection.items else ""
    return items + (f" --where {shlex.quote(selection.where)}" if selection.where else "")


def _of_selection(database: Database, job: int, wanted: Wanted, causes: list[FailureView]) -> Iterator[FailureView]:
    """The causes that selected items have, with the number of these items and with examples among them."""
    found: dict[int, list[int]] = {}
    counts: Counter[int] = Counter()
    selected = SelectedItems(database, job, wanted.selection, now=wanted.now, default=(ItemState.FAILED,))
    for page in selected.pages():
        for cause, item in failures.causes_of_items(database, job, page):
            counts[cause] += 1
            examples = found.setdefault(cause, [])
            if len(examples) < _SAMPLES:
                examples.append(item)
    for cause_view in causes:
        if counts[cause_view.id]:
            samples = json.dumps(found[cause_view.id])
            yield cause_view._replace(items=counts[cause_view.id], samples=samples)


def cause_names(causes: Sequence[FailureView]) -> dict[int, str]:
    """Return the words by which ``--cause`` selects each cause of a job, by the number of the cause."""
    codes = Counter(cause.code for cause in causes)
    return {cause.id: cause.code if codes[cause.code] == 1 else f"{cause.code}:{cause.id}" for cause in causes}


def _block(
    database: Database, job: JobView, cause: FailureView, name: str, command: tuple[str, str]
) -> ListedCauseBlock:
    """One cause; its command has ``--cause`` between the two parts."""
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
        "command": f"{command[0]} --cause {name}{command[1]}" if has_items else None,
    }


def _samples(database: Database, job: int, cause: FailureView) -> list[CauseSampleBlock]:
    """Items that failed for a cause, or that met it, with the messages that they wrote."""
    known = failures.samples_of(cause.samples)
    failed = failures.failed_samples(database, job, cause.id, known) if cause.items else []
    found = failures.messages(database, job, cause.id, (failed or known)[:_SAMPLES])
    return [{"item": item, "message": message} for item, message in found]
