"""Everything about one job on one page, readable at 80 columns."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from jobctl.domain.durations import format_duration
from jobctl.domain.wording import number, percent, plural, rate, size
from jobctl.render.bar import bar
from jobctl.render.clock import local
from jobctl.render.inert import inert
from jobctl.render.job_blocks import failures_block, running_block, slowest_line
from jobctl.render.jobs_table import STATE_STYLES
from jobctl.render.look import Look
from jobctl.render.pace import pace_line

Document = Mapping[str, Any]

_BAR_MIN, _BAR_MAX = 10, 60
#: Lines of a screen on which there is room for more than what must be known.
_ROOMY = 20
_INDENT = (0, 0, 0, 2)


def job_page(document: Document, look: Look, running: int = 8) -> RenderableType:
    """The page of a status document, with at most so many of the items that run."""
    blocks: list[RenderableType] = [job_title(document, look), *overview(document, look)]
    for block in (failures_block(document, look), running_block(document, look, running), _facts(document, look)):
        if block is not None:
            blocks += [Text(""), block]
    return Group(*blocks)


def overview(document: Document, look: Look) -> Iterator[RenderableType]:
    """The sentence, the bar, the counters, the pace, and what needs attention."""
    yield Text(inert(document["state_reason"]))
    yield Text("")
    yield _bar_line(document, look)
    yield _counters(document, look)
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


def job_title(document: Document, look: Look) -> Text:
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


def _bar_line(document: Document, look: Look) -> Text:
    progress, counts = document["progress"], document["counts"]
    facts = [
        percent(progress["processed"], counts["total"]) if counts["total"] else percent(progress["fraction"], 1),
        f"{number(progress['processed'])} of {number(counts['total'])}",
    ]
    if progress["rate_per_s"]:
        facts.append(rate(progress["rate_per_s"]))
    if progress["eta_s"] is not None:
        facts.append(f"done in {format_duration(progress['eta_s'])}")
        moment = f", {local(progress['eta_at'])}"
        if _BAR_MIN + 2 + len("  ".join(facts) + moment) <= look.width:
            facts[-1] += moment
    elif document["done"]:
        facts.append(f"took {format_duration(document['time']['active_s'])}")
    text = "  ".join(facts)
    width = max(_BAR_MIN, min(_BAR_MAX, look.width - len(text) - 2))
    return Text.assemble(*bar(counts, width, look), "  ", text)


def _counters(document: Document, look: Look) -> Text:
    styles = {"succeeded": "green", "failed": "red", "running": "yellow", "rejected": "red"}
    parts: list[Any] = []
    for name in ("succeeded", "failed", "running", "retrying", "queued", "unprocessed", "rejected", "skipped"):
        count = document["counts"][name]
        if count:
            parts += [look.dash if parts else "", (f"{number(count)} {name}", styles.get(name, ""))]
    return Text.assemble(*parts)


def _facts(document: Document, look: Look) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(overflow="fold")
    for label, text in _fact_lines(document, look):
        grid.add_row(label, Text(inert(text)))
    return grid


def _fact_lines(document: Document, look: Look) -> Iterator[tuple[str, str]]:
    yield "retry", _retry(document)
    yield from _results(document)
    yield "time", _joined(_times(document), look)
    yield "function" if document["handler"] == "call" else "command", work_text(document)
    yield "input", _input(document, look)
    yield "policy", _joined(policy_facts(document["policy"]), look)
    yield "queue", _queue(document, look)
    if document["labels"]:
        yield "labels", " ".join(f"{name}={value}" for name, value in document["labels"].items())
    if document["idempotency"]["key"]:
        yield "key", document["idempotency"]["key"]
    yield "daemon", daemon_text(document["daemon"])
    for position, command in enumerate(document["next"]):
        yield "" if position else "next", command


def _joined(facts: Iterable[str], look: Look) -> str:
    """Facts in a row; a line is not broken within one."""
    space = "\u00a0" if look.unicode and look.terminal else " "
    return look.dash.join(fact.replace(" ", space) for fact in facts)


def _retry(document: Document) -> str:
    retry = document["retry"]
    if not retry["available"]:
        return f"not now: {retry['why_not']}"
    kinds = (
        ("failed_retryable", "that may succeed"),
        ("failed_permanent", "permanent"),
        ("outcome_unknown", "with unknown outcome"),
        ("unprocessed", "never tried"),
    )
    parts = [f"{number(retry[key])} {words}" for key, words in kinds if retry[key]]
    return f"{retry['command']}   {plural(retry['items'], 'item')}: {', '.join(parts)}"


def _results(document: Document) -> Iterator[tuple[str, str]]:
    results = document["results"]
    if not results["available"]:
        when = "when the job is done, in" if not document["done"] else "missing from"
        yield "results", f"{when} {results['dir']}"
        return
    for position, file in enumerate(results["files"].values()):
        yield "" if position else "results", f"{file['path']}  {plural(file['rows'], 'row')}"


def _times(document: Document) -> Iterator[str]:
    time = document["time"]
    yield f"submitted {local(time['submitted_at'])}"
    for name in ("started", "finished"):
        if time[f"{name}_at"]:
            yield f"{name} {local(time[f'{name}_at'])}"
    if time["active_s"]:
        yield f"active {format_duration(time['active_s'])}"
    if time["paused_s"]:
        yield f"paused {format_duration(time['paused_s'])}"
    if time["deadline_at"]:
        yield f"deadline {local(time['deadline_at'])}"


def command_text(command: Any) -> str:
    """A command as it could be typed."""
    if command is None:
        return "the file's own command column"
    return str(command) if isinstance(command, str) else shlex.join(command)


def work_text(document: Document) -> str:
    """What is done with each row, in a line."""
    call = document["call"]
    if call is None:
        return command_text(document["command"])
    facts = [call["target"]]
    if call["style"]:
        facts.append("gets each row as a dict" if call["style"] == "dict" else "gets columns as keyword arguments")
    if call["setup"]:
        facts.append(f"after {call['setup']}")
    if call["recycle"]:
        facts.append(f"a new worker after {plural(call['recycle'], 'call')}")
    return ", ".join(facts)


def _input(document: Document, look: Look) -> str:
    given = document["input"]
    path = "standard input" if given["path"] == "-" else given["path"]
    facts = [path, given["format"], plural(given["rows"], "row"), size(given["bytes"])]
    if given["columns"]:
        facts.append(f"columns {', '.join(given['columns'])}")
    if given["resubmit_of"]:
        number = given["resubmit_of_job"]
        facts.append(f"a result file of job {number}" if number else "a result file of a job that is gone")
    return look.dash.join(facts)


def policy_facts(policy: Document) -> Iterator[str]:
    """The rules of a job in words."""
    yield plural(policy["slots"], "slot") if policy["slots"] else "all slots"
    yield plural(policy["attempts"], "attempt")
    yield f"time limit {format_duration(policy['timeout_s'])}" if policy["timeout_s"] else "no time limit"
    if policy["max_failures"]:
        yield f"stops {policy['halt']} at more than {policy['max_failures']} failures"
    yield "after a crash run again" if policy["on_crash"] == "requeue" else "at most once"


def _queue(document: Document, look: Look) -> str:
    text = str(document["queue"])
    return f"{text}{look.dash}priority {document['priority']}" if document["priority"] else text


def daemon_text(daemon: Document) -> str:
    """How the daemon is, in words."""
    state = daemon["state"].replace("_", " ")
    return f"{state}, process {daemon['pid']}" if daemon["pid"] else state
