"""The questions before an action, and whether a job allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jobctl.domain.wording import number, plural

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument
    from jobctl.services.control.retry_forecast import RetryForecast

#: A pause of a job with more items left than this has a question.
MANY = 1_000


class Question(NamedTuple):
    """A question, what a yes does, and what another yes does. Without a text, nothing is asked."""

    text: str
    consequence: str
    other: str = ""


def can(action: str, job: StatusDocument) -> bool:
    """Return whether an action has an effect on a job in its present state."""
    if action == "retry":
        return job["retry"]["available"]
    if action == "pause":
        return job["state"] in ("queued", "running")
    if action == "resume":
        return job["state"] == "paused"
    return not job["done"]


def question_of_cancel(job: StatusDocument) -> Question:
    """The question before a job is cancelled."""
    counts = job["counts"]
    waiting = counts["queued"] + counts["retrying"]
    parts = [
        f"{plural(counts['running'], 'running item')} will be stopped" if counts["running"] else "",
        f"{plural(waiting, 'waiting item')} will not run" if waiting else "",
    ]
    return Question(f"End job {job['job']} ({job['name']})?", ", ".join(filter(None, parts)) + ".")


def question_of_pause(job: StatusDocument) -> Question:
    """The question before a job with many items is paused."""
    counts = job["counts"]
    left = counts["queued"] + counts["retrying"]
    if left <= MANY:
        return Question("", "")
    running = f" {plural(counts['running'], 'running item')} will end as usual." if counts["running"] else ""
    return Question(f"Pause job {job['job']} ({job['name']})?", f"{plural(left, 'item')} will wait.{running}")


def question_of_retry(job: StatusDocument, forecast: RetryForecast) -> Question:
    """The question before another round of a job."""
    parts = [f"{plural(forecast.items, 'item')} will run again."]
    if forecast.left_out:
        parts.append(f"{plural(forecast.left_out, 'item')} with an unknown outcome will be left out.")
    if job["item_key"] is not None:
        parts.append("Rows that another job of this name has, or has done since, will be left out.")
    if forecast.timed_out:
        verb = "was" if forecast.timed_out == 1 else "were"
        parts.append(f"{number(forecast.timed_out)} of them {verb} stopped by the time limit.")
    other = f"yes, with {forecast.words}" if forecast.rules else ""
    return Question(f"Begin round {job['round'] + 1} of job {job['job']} ({job['name']})?", "\n".join(parts), other)
