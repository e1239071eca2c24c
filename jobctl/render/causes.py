"""Causes of failure in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobctl.domain.shape import hides_the_cause
from jobctl.domain.wording import number, plural
from jobctl.render.clock import local
from jobctl.render.inert import inert
from jobctl.render.look import Look, wrap_hanging
from jobctl.render.plain import table

if TYPE_CHECKING:
    from jobctl.domain.documents.causes import CausesDocument, ListedCauseBlock
    from jobctl.domain.documents.explain import ExplainDocument
    from jobctl.domain.documents.failures import CauseBlock
    from jobctl.domain.documents.status import StatusDocument

CAUSE_TITLES = ("failed", "cause", "message", "as in item")


def cause_text(group: CauseBlock) -> str:
    """Return the message of a cause, with a real example if the message is only a mask: ``KeyError: <text>``."""
    message, example = str(group["message"]), group.get("example")
    if not example or example == message or not hides_the_cause(message):
        return message
    return f"{message}, for example {example}"


def hidden_causes(document: StatusDocument | ExplainDocument, shown: int) -> str:
    """Describe the causes that are not shown, with the command that shows them; empty if there are none."""
    failures = document["failures"]
    hidden = failures["groups_total"] - shown
    rest = [plural(hidden, "more cause")] if hidden > 0 else []
    if failures["ungrouped"]:
        rest.append(f"{plural(failures['ungrouped'], 'failure')} of further causes")
    command = failures.get("command") or f"jobctl causes {document['job']}"
    return f"{', '.join(rest)}: {inert(command)}" if rest else ""


_TITLES = ("items", "attempts", "cause", "retryable", "outcome", "first_at", "last_at", "sample_items", "message")


def cause_lines(document: CausesDocument, look: Look) -> Iterator[str]:
    """A block for each cause: how many items, their own words, when, and the command that lists the items."""
    failed = plural(document["failed"], "failed item")
    total = plural(document["causes_total"], "cause")
    yield from wrap_hanging(f"job {document['job']} ({inert(document['name'])}): {total}, {failed}", look)
    for cause in document["causes"]:
        yield ""
        yield from _cause_block(cause, look)
    if document["ungrouped"]:
        yield ""
        yield f"{plural(document['ungrouped'], 'failed item')} of causes that cannot be read"


def _cause_block(cause: ListedCauseBlock, look: Look) -> Iterator[str]:
    notes = [] if cause["retryable"] else ["a retry cannot help"]
    notes += ["outcome unknown"] if cause["outcome"] == "unknown" else []
    times = plural(cause["items"], "item") if cause["items"] else "no item now"
    yield from wrap_hanging(", ".join((f"{inert(cause['cause'])}: {times}", *notes)), look)
    said: dict[str, list[str]] = {}
    for sample in cause["samples"]:
        said.setdefault(sample["message"], []).append(str(sample["item"]))
    for message, items in said.items():
        yield from wrap_hanging(f"  {inert(message)} (item {', '.join(items)})", look)
    if not said:
        yield from wrap_hanging(f"  {inert(cause['message'])}", look)
    first, last = local(cause["first_at"]), local(cause["last_at"])
    when = first if first == last else f"{first} to {last}"
    yield from wrap_hanging(f"  {plural(cause['attempts'], 'attempt')}, {when}", look)
    if cause["command"]:
        yield f"  {inert(cause['command'])}"


def cause_table(document: CausesDocument) -> str:
    """The causes as records with tabs between fields; the message is that of the first sample."""
    return table(_TITLES, map(_record, document["causes"]))


def _record(cause: ListedCauseBlock) -> list[object]:
    samples = cause["samples"]
    message = samples[0]["message"] if samples else cause["message"]
    named = [cause["items"], cause["attempts"], cause["cause"], "yes" if cause["retryable"] else "no", cause["outcome"]]
    return [*named, cause["first_at"], cause["last_at"], ",".join(str(each["item"]) for each in samples), message]


def cause_cells(group: CauseBlock) -> tuple[str, str, str, str, str]:
    """The cells of a row under ``CAUSE_TITLES``; the third is a note that belongs to the message."""
    notes = [] if group["retryable"] else ["permanent"]
    if group["outcome"] == "unknown":
        notes.append("outcome unknown")
    note = f" ({', '.join(notes)})" if notes else ""
    samples = ", ".join(str(item) for item in group["sample_items"][:3])
    count = number(group["count"]) if group["count"] else "retry"
    return count, inert(group["code"]), inert(cause_text(group)), note, samples
