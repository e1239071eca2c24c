"""The orders of the list of jobs, by the name of the column that is clicked; the empty name is the usual order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jobctl.render.frames import urgency

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument


_SortKey = Callable[["StatusDocument"], Any]


def _or_least(value: float | None) -> float:
    return -1.0 if value is None else value


ORDERS: dict[str, _SortKey] = {
    "": urgency,
    "job": lambda job: job["job"],
    "name": lambda job: (job["name"].casefold(), job["job"]),
    "state": lambda job: (job["state"], job["job"]),
    "progress": lambda job: job["progress"]["processed"] / max(1, job["counts"]["total"]),
    "done": lambda job: job["progress"]["processed"],
    "failed": lambda job: job["counts"]["failed"],
    "rate": lambda job: _or_least(job["progress"]["rate_per_s"]),
    "ETA": lambda job: _or_least(job["progress"]["eta_s"]),
    "age": lambda job: -job["job"],
}
#: Columns of numbers of which the largest matter first.
LARGEST_FIRST = frozenset({"job", "done", "failed", "rate", "ETA"})


def has_words(job: StatusDocument, text: str) -> bool:
    """Return whether each word of a text is in the number, name, state, queue or a label of a job, in either case."""
    labels = " ".join(f"{key}={value}" for key, value in job["labels"].items())
    where = f"{job['job']} {job['name']} {job['state']} {job['queue']} {labels}".casefold()
    return all(word in where for word in text.casefold().split())
