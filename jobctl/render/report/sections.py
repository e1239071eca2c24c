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
from jobctl.render.job.progress import running_items, slowness
from jobctl.render.report.links import NO_LINKS, Links
from jobctl.render.report.svg import text_of

if TYPE_CHECKING:
    from jobctl.domain.documents.failures import CauseBlock
    from jobctl.domain.documents.items import ItemBlock
    from jobctl.domain.documents.report import ReportDocument
    from jobctl.domain.documents.status import StatusDocument


def failures_section(report: ReportDocument, links: Links = NO_LINKS) -> Iterator[str]:
    """The table of causes, each with some of its items."""
    failures = report["status"]["failures"]
    if not failures["groups"]:
        return
    yield f'<section id="failures"><h2>Failures by cause</h2>{wide("Failures by cause")}<table>'
    yield titles((">items", "cause", "message", "a retry"))
    for group, samples in zip(failures["groups"], report["samples"], strict=True):
        yield _failure(group, samples, links)
    yield "</table></div>"
    hidden = hidden_causes(report["status"], len(failures["groups"]))
    if hidden:
        yield f'<p class="soft">and {text_of(hidden)}</p>'
    yield "</section>"


def _failure(group: CauseBlock, samples: Sequence[ItemBlock], links: Links) -> str:
    cells = [
        _number(number(group["count"])),
        f'<td class="nowrap"><code>{text_of(group["code"])}</code></td>',
        f'<td class="words">{text_of(cause_text(group))}{_samples(samples, links)}{links.cause(group)}</td>',
        f"<td>{prospect_of(group)}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def prospect_of(group: CauseBlock) -> str:
    """Whether a retry of the items of a cause can help, in words."""
    word = "may succeed" if group["retryable"] else "will not help"
    return f"{word}; what the item did is unknown" if group["outcome"] == "unknown" else word


def _samples(samples: Sequence[ItemBlock], links: Links) -> str:
    if not samples:
        return ""
    lines = "".join(_sample(item, links) for item in samples)
    return f"<details><summary>for example {plural(len(samples), 'item')}</summary>{lines}</details>"


def _sample(item: ItemBlock, links: Links) -> str:
    row = item["row"] if isinstance(item["row"], str) else json.dumps(item["row"], ensure_ascii=False)
    message = f"<br>{text_of(item['message'])}" if item["message"] else ""
    took = "" if item["duration_s"] is None else f", took {format_duration(item['duration_s'])}"
    tried = plural(item["attempts"], "attempt")
    return f"<p>item {links.item(item['item'])} ({tried}{took}): <code>{text_of(_shortened(row))}</code>{message}</p>"


def _shortened(words: str, limit: int = 400) -> str:
    return words if len(words) <= limit else words[: limit - 1] + "…"


def running_section(status: StatusDocument, links: Links = NO_LINKS) -> Iterator[str]:
    """The table of running items; empty when there are none."""
    running = running_items(status)[:16]
    if not running:
        return
    yield f'<section id="running"><h2>Running, longest first</h2>{wide("Running items")}<table>'
    yield titles((">item", ">slot", ">attempt", "for", "row"))
    for item in running:
        cells = [links.item(item["item"]), *(text_of(item[key] or "") for key in ("slot", "attempt"))]
        slow = slowness(item["elapsed_s"], status["durations"])
        took = format_duration(item["elapsed_s"]) + (f' <span class="slow">{slow}</span>' if slow else "")
        row = f"<code>{text_of(item['row_text'])}</code>" if item["row_text"] else ""
        yield f'<tr>{"".join(map(_number, cells))}<td class="nowrap">{took}</td><td>{row}</td></tr>'
    yield "</table></div>"
    if hidden := status["counts"]["running"] - len(running):
        yield f'<p class="soft">and {number(hidden)} more</p>'
    yield "</section>"


def slowest_section(status: StatusDocument, links: Links = NO_LINKS) -> Iterator[str]:
    """The table of the attempts that took longest."""
    slowest = status["durations"]["slowest"]
    if not slowest:
        return
    yield f'<section id="slowest"><h2>Slowest items</h2>{wide("Slowest items")}<table>'
    yield titles((">item", ">attempt", "took"))
    for slow in slowest:
        cells = _number(links.item(slow["item"])) + _number(str(slow["attempt"]))
        yield f"<tr>{cells}<td>{format_duration(slow['duration_s'])}</td></tr>"
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


def results_section(status: StatusDocument, links: Links = NO_LINKS) -> Iterator[str]:
    """The table of result files."""
    results = status["results"]
    yield '<section id="results"><h2>Results</h2>'
    if not results["available"]:
        when = "The files are missing from" if status["done"] else "When the job is done, they are in"
        yield f"<p>{when} <code>{text_of(results['dir'])}</code></p></section>"
        return
    yield f"{wide('Result files')}<table>{titles(('file', '>rows', 'SHA-256'))}"
    for kind, file in zip(("succeeded", "failed", "unprocessed"), three_files(results), strict=True):
        yield _file(links.result(kind, file["path"]), file["rows"], file["sha256"])
    if rejected := results.get("rejected"):
        yield _file(links.result("rejected", rejected["path"]), rejected["rows"], None)
    if (undo := status.get("undo")) and (undone := undo["file"]):
        yield _file(links.result("undone", undone["path"]), undone["rows"], undone["sha256"])
    yield "</table></div></section>"


def _file(name: str, rows: int, sha256: str | None) -> str:
    digest = f"<code>{text_of((sha256 or '')[:16])}</code>" if sha256 else ""
    return f'<tr><td class="nowrap">{name}</td>{_number(number(rows))}<td>{digest}</td></tr>'


def titles(words: Sequence[str]) -> str:
    """The first row of a table; a title that begins with ``>`` is above numbers."""
    cells = (
        f'<th scope="col" class="number">{word[1:]}</th>' if word.startswith(">") else f'<th scope="col">{word}</th>'
        for word in words
    )
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def wide(label: str) -> str:
    """The beginning of a part that scrolls sideways on a narrow screen, by keyboard as well."""
    return f'<div class="wide" tabindex="0" role="region" aria-label="{label}">'


def _number(markup: str) -> str:
    return f'<td class="number">{markup}</td>'


def facts_section(status: StatusDocument) -> Iterator[str]:
    """Input, policy, times and the other facts about the job."""
    yield '<section id="facts"><h2>The job</h2><dl class="facts">'
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
