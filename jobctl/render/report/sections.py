"""The sections of a report below its drawings, as HTML: failures, running and slow items, retry, results, facts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from jobctl.domain.durations import format_duration
from jobctl.domain.handler_kinds import kind_of
from jobctl.domain.wording import number, plural
from jobctl.render.causes import cause_text, hidden_causes
from jobctl.render.job.facts import policy_facts, three_files, work_text
from jobctl.render.report.svg import text_of

if TYPE_CHECKING:
    from jobctl.domain.documents.failures import CauseBlock
    from jobctl.domain.documents.items import ItemBlock
    from jobctl.domain.documents.report import ReportDocument
    from jobctl.domain.documents.status import StatusDocument


def failures_section(report: ReportDocument) -> Iterator[str]:
    """The table of causes, each with some of its items."""
    failures = report["status"]["failures"]
    if not failures["groups"]:
        return
    yield '<section id="failures"><h2>Failures by cause</h2><div class="wide"><table>'
    yield '<tr><th class="number">items</th><th>cause</th><th>message</th><th>a retry</th></tr>'
    for group, samples in zip(failures["groups"], report["samples"], strict=True):
        yield _failure(group, samples)
    yield "</table></div>"
    hidden = hidden_causes(report["status"], len(failures["groups"]))
    if hidden:
        yield f'<p class="soft">and {text_of(hidden)}</p>'
    yield "</section>"


def _failure(group: CauseBlock, samples: Sequence[ItemBlock]) -> str:
    word = "may succeed" if group["retryable"] else "will not help"
    if group["outcome"] == "unknown":
        word += "; what the item did is unknown"
    cells = [
        f'<td class="number">{number(group["count"])}</td>',
        f'<td class="nowrap"><code>{text_of(group["code"])}</code></td>',
        f"<td>{text_of(cause_text(group))}{_samples(samples)}</td>",
        f"<td>{word}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _samples(samples: Sequence[ItemBlock]) -> str:
    if not samples:
        return ""
    lines = "".join(_sample(item) for item in samples)
    return f"<details><summary>for example {plural(len(samples), 'item')}</summary>{lines}</details>"


def _sample(item: ItemBlock) -> str:
    row = item["row"] if isinstance(item["row"], str) else json.dumps(item["row"], ensure_ascii=False)
    message = f"<br>{text_of(item['message'])}" if item["message"] else ""
    took = "" if item["duration_s"] is None else f", took {format_duration(item['duration_s'])}"
    tried = plural(item["attempts"], "attempt")
    return f"<p>item {item['item']} ({tried}{took}): <code>{text_of(_shortened(row))}</code>{message}</p>"


def _shortened(words: str, limit: int = 400) -> str:
    return words if len(words) <= limit else words[: limit - 1] + "…"


def running_section(status: StatusDocument) -> Iterator[str]:
    """The table of running items; empty when there are none."""
    running = sorted(status["running"], key=lambda item: -item["elapsed_s"])[:16]
    if not running or status["daemon"]["state"] == "down":
        return
    yield '<section><h2>Running, longest first</h2><div class="wide"><table>'
    yield '<tr><th class="number">item</th><th class="number">slot</th><th class="number">attempt</th><th>for</th></tr>'
    for item in running:
        cells = [f'<td class="number">{text_of(item[key] or "")}</td>' for key in ("item", "slot", "attempt")]
        yield f"<tr>{''.join(cells)}<td>{format_duration(item['elapsed_s'])}</td></tr>"
    yield "</table></div></section>"


def slowest_section(status: StatusDocument) -> Iterator[str]:
    """The table of the attempts that took longest."""
    slowest = status["durations"]["slowest"]
    if not slowest:
        return
    yield '<section id="slowest"><h2>Slowest items</h2><div class="wide"><table>'
    yield '<tr><th class="number">item</th><th class="number">attempt</th><th>took</th></tr>'
    for slow in slowest:
        cells = [f'<td class="number">{slow[key]}</td>' for key in ("item", "attempt")]
        yield f"<tr>{''.join(cells)}<td>{format_duration(slow['duration_s'])}</td></tr>"
    yield "</table></div></section>"


def retry_section(status: StatusDocument) -> Iterator[str]:
    """The command for a retry, and other commands."""
    retry = status["retry"]
    yield '<section id="retry"><h2>Retry</h2>'
    if retry["available"]:
        note = f" ({text_of(retry.get('note'))})" if retry.get("note") else ""
        yield f"<p>{plural(retry['items'], 'item')} would run again{note}:</p><pre>{text_of(retry['command'])}</pre>"
    else:
        yield f"<p>Not now: {text_of(retry['why_not'])}.</p>"
    others = [command for command in status["next"] if command != retry["command"]]
    if others:
        commands = "\n".join(map(text_of, others))
        yield f'<p class="soft">To see more:</p><pre>{commands}</pre>'
    yield "</section>"


def results_section(status: StatusDocument) -> Iterator[str]:
    """The table of result files."""
    results = status["results"]
    yield '<section id="results"><h2>Results</h2>'
    if not results["available"]:
        when = "The files are missing from" if status["done"] else "When the job is done, they are in"
        yield f"<p>{when} <code>{text_of(results['dir'])}</code></p></section>"
        return
    yield '<div class="wide"><table><tr><th>file</th><th class="number">rows</th><th>SHA-256</th></tr>'
    for file in three_files(results):
        yield (
            f'<tr><td><code>{text_of(file["path"])}</code></td><td class="number">{number(file["rows"])}</td>'
            f"<td><code>{text_of((file['sha256'] or '')[:16])}</code></td></tr>"
        )
    yield "</table></div></section>"


def facts_section(status: StatusDocument) -> Iterator[str]:
    """Input, policy, times and the other facts about the job."""
    yield '<section><h2>The job</h2><dl class="facts">'
    for name, value in _fact_lines(status):
        yield f"<dt>{text_of(name)}</dt><dd>{value}</dd>"
    yield "</dl></section>"


def _fact_lines(status: StatusDocument) -> Iterator[tuple[str, str]]:
    """The name and the value of each fact, as HTML."""
    given, time = status["input"], status["time"]
    yield kind_of(status["handler"]).noun, f"<code>{text_of(work_text(status))}</code>"
    source = "standard input" if given["path"] == "-" else given["path"]
    yield "input", f"{text_of(source)}, {text_of(given['format'])}, {plural(given['rows'], 'row')}"
    yield "SHA-256", f"<code>{text_of(given['sha256'])}</code>"
    began = (("submitted", time["submitted_at"]), ("started", time["started_at"]))
    for name, moment in (*began, ("finished", time["finished_at"]), ("deadline", time["deadline_at"])):
        if moment:
            yield name, time_markup(moment)
    if time["paused_s"]:
        yield "paused for", format_duration(time["paused_s"])
    yield "policy", text_of(", ".join(policy_facts(status["policy"])))
    yield "queue", text_of(status["queue"])
    if status["labels"]:
        yield "labels", text_of(" ".join(f"{name}={value}" for name, value in status["labels"].items()))
    if status["idempotency"]["key"]:
        yield "key", f"<code>{text_of(status['idempotency']['key'])}</code>"
    yield "uid", f"<code>{text_of(status['uid'])}</code>"


def time_markup(moment: str) -> str:
    """``2026-11-23 18:28:31 UTC``: people read a report elsewhere, where local time differs."""
    return f'<time datetime="{text_of(moment)}">{text_of(moment[:19].replace("T", " "))} UTC</time>'
