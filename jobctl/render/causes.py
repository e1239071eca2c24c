"""Causes of failure in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobctl.domain.shape import hides_the_cause
from jobctl.domain.wording import number, plural
from jobctl.render.inert import inert

if TYPE_CHECKING:
    from jobctl.domain.documents.failures import CauseBlock
    from jobctl.domain.documents.status import StatusDocument

CAUSE_TITLES = ("failed", "cause", "message", "as in item")


def cause_text(group: CauseBlock) -> str:
    """Return the message of a cause, with a real example if the message is only a mask: ``KeyError: <text>``."""
    message, example = str(group["message"]), group.get("example")
    if not example or example == message or not hides_the_cause(message):
        return message
    return f"{message}, for example {example}"


def hidden_causes(document: StatusDocument, shown: int) -> str:
    """Describe the causes that are not shown; empty if there are none."""
    failures = document["failures"]
    hidden = failures["groups_total"] - shown
    rest = [plural(hidden, "more cause")] if hidden > 0 else []
    if failures["ungrouped"]:
        rest.append(f"{plural(failures['ungrouped'], 'failure')} of further causes")
    return ", ".join(rest)


def cause_cells(group: CauseBlock) -> tuple[str, str, str, str, str]:
    """The cells of a row under ``CAUSE_TITLES``; the third is a note that belongs to the message."""
    notes = [] if group["retryable"] else ["permanent"]
    if group["outcome"] == "unknown":
        notes.append("outcome unknown")
    note = f" ({', '.join(notes)})" if notes else ""
    samples = ", ".join(str(item) for item in group["sample_items"][:3])
    count = number(group["count"]) if group["count"] else "retry"
    return count, inert(group["code"]), inert(cause_text(group)), note, samples
