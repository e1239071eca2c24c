"""The page of one job, readable at 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from jobctl.domain.durations import format_duration
from jobctl.domain.handler_kinds import kind_of
from jobctl.domain.wording import number, percent, rate
from jobctl.render.bar import bar
from jobctl.render.clock import local
from jobctl.render.inert import inert
from jobctl.render.job.blocks import failures_block, running_block, slowest_line
from jobctl.render.job.facts import (
    after_text,
    daemon_text,
    input_text,
    notify_lines,
    policy_facts,
    queue_text,
    results_lines,
    retry_text,
    times,
    work_text,
)
from jobctl.render.job.pace import pace_line
from jobctl.render.jobs_table import STATE_STYLES
from jobctl.render.look import Look

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument


_BAR_MIN, _BAR_MAX = 10, 60
#: A screen with this many lines has room for more than the essentials.
_ROOMY = 20
_INDENT = (0, 0, 0, 2)


def job_page(document: StatusDocument, look: Look, running: int = 8) -> RenderableType:
    """The page of a status document, with at most ``running`` running items."""
    blocks: list[RenderableType] = [job_title(document, look), *overview(document, look)]
    for block in (failures_block(document, look), running_block(document, look, running), _facts(document, look)):
        if block is not None:
            blocks += [Text(""), block]
    return Group(*blocks)


def overview(document: StatusDocument, look: Look) -> Iterator[RenderableType]:
    """The sentence, the bar, the counters, the pace, and the notices."""
    yield Text(inert(document["state_reason"]))
    yield Text("")
    yield _bar_line(document, look)
    yield counters(document, look)
    pace = pace_line(document, look)
    if pace is not None:
        yield pace
    slowest = slowest_line(document, look) if look.height >= _ROOMY else None
    if slowest is not None:
        yield slowest
    attention = document["attention"]
    if attention:
        yield Text("")
    for found in attention:
        yield Text.assemble(("! ", "bold yellow"), inert(found["message"]))
        yield Padding(Text(inert(found["action"]), style="bold"), _INDENT)


def job_title(document: StatusDocument, look: Look) -> Text:
    """Number, name, state, round."""
    state = document["state"]
    parts: list[Any] = [
        (f"job {document['job']}", "bold"),
        "  ",
        (inert(document["name"]), "bold"),
        "  ",
        (state, STATE_STYLES.get(state, "")),
    ]
    if document["round"] > 1:
        parts.append(f"{look.dash}round {document['round']}")
    return Text.assemble(*parts)


def _bar_line(document: StatusDocument, look: Look) -> Text:
    text = "  ".join(progress_facts(document, look))
    width = max(_BAR_MIN, min(_BAR_MAX, look.width - len(text) - 2))
    return Text.assemble(*bar(document["counts"], width, look), "  ", text)


def progress_facts(document: StatusDocument, look: Look) -> list[str]:
    """How much is processed, how fast, and when the rest will be; as much as fits next to a bar."""
    progress, counts = document["progress"], document["counts"]
    facts = [
        percent(progress["processed"], counts["total"]) if counts["total"] else percent(progress["fraction"], 1),
        f"{number(progress['processed'])} of {number(counts['total'])}",
    ]
    if progress["rate_per_s"]:
        facts.append(rate(progress["rate_per_s"]))
    if progress["eta_s"] is not None:
        facts.append(f"done in {format_duration(progress['eta_s'])}")
        moment = f", {local(progress['eta_at'])}" if progress["eta_at"] else ""
        if _BAR_MIN + 2 + len("  ".join(facts) + moment) <= look.width:
            facts[-1] += moment
    elif document["done"]:
        facts.append(f"took {format_duration(document['time']['active_s'])}")
    return facts


def counters(document: StatusDocument, look: Look) -> Text:
    """The counters that are not zero."""
    styles = {"succeeded": "green", "failed": "red", "running": "yellow", "rejected": "red"}
    parts: list[Any] = []
    for name in ("succeeded", "failed", "running", "retrying", "queued", "unprocessed", "rejected", "skipped"):
        count = document["counts"][name]
        if count:
            parts += [look.dash if parts else "", (f"{number(count)} {name}", styles.get(name, ""))]
    return Text.assemble(*parts)


def _facts(document: StatusDocument, look: Look) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(overflow="fold")
    for label, text in fact_lines(document, look):
        grid.add_row(label, Text(inert(text)))
    return grid


def fact_lines(document: StatusDocument, look: Look) -> Iterator[tuple[str, str]]:
    """The name and the text of the other facts; only the first line of a fact has a name."""
    yield "retry", retry_text(document)
    yield from results_lines(document)
    yield "time", _joined(times(document), look)
    yield kind_of(document["handler"]).noun, work_text(document)
    yield "input", input_text(document, look)
    yield "policy", _joined(policy_facts(document["policy"], document["daemon"].get("slots")), look)
    yield "queue", queue_text(document, look)
    if document.get("after"):
        yield "after", after_text(document)
    if document["labels"]:
        yield "labels", " ".join(f"{name}={value}" for name, value in document["labels"].items())
    if document["idempotency"]["key"]:
        yield "key", document["idempotency"]["key"]
    yield from notify_lines(document, look)
    yield "daemon", daemon_text(document["daemon"])
    for position, command in enumerate(document["next"]):
        yield "" if position else "next", command


def _joined(facts: Iterable[str], look: Look) -> str:
    """Facts in a row, in which a line can only be broken between two facts."""
    space = "\u00a0" if look.unicode and look.terminal else " "
    return look.dash.join(fact.replace(" ", space) for fact in facts)
