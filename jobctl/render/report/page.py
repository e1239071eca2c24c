"""The report of a job: one HTML file that loads nothing, and in which no text of a row can act."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from jobctl.domain.durations import format_duration
from jobctl.domain.handler_kinds import kind_of
from jobctl.domain.wording import number, percent, plural, rate
from jobctl.render.causes import cause_text
from jobctl.render.job.facts import policy_facts, three_files, work_text
from jobctl.render.report.charts import duration_chart, slots_chart, throughput_chart
from jobctl.render.report.style import STYLE
from jobctl.render.report.svg import Drawing
from jobctl.render.report.svg import text_of as text

if TYPE_CHECKING:
    from jobctl.domain.documents.failures import CauseBlock
    from jobctl.domain.documents.items import ItemBlock
    from jobctl.domain.documents.report import ReportDocument
    from jobctl.domain.documents.status import StatusDocument
    from jobctl.domain.documents.status_blocks import CountsBlock


#: The browser must load nothing for the page, whatever the page contains.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def report_page(report: ReportDocument) -> str:
    """The page of a report document."""
    status = report["status"]
    title = text(f"job {status['job']}, {status['name']}: {status['state']}")
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        *_header(report),
        *_charts(report),
        *_failures(report),
        *_running(status),
        *_slowest(status),
        *_retry(status),
        *_results(status),
        *_facts(status),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


# ---- how it stands ----


def _header(report: ReportDocument) -> Iterator[str]:
    status = report["status"]
    state = text(status["state"])
    yield "<header>"
    yield f'<h1>job {status["job"]} {text(status["name"])} <span class="state {state}">{state}</span></h1>'
    yield f"<p>{text(status['state_reason'])}</p>"
    yield _progress(status["counts"])
    yield _figures(_counts(status))
    yield _figures(_pace(status))
    for found in status["attention"]:
        yield f'<p class="notice">{text(found["message"])}<br><code>{text(found["action"])}</code></p>'
    yield f'<p class="soft">as of {_time(report["at"])}, round {status["round"]}</p>'
    yield "</header>"


def _progress(counts: CountsBlock) -> str:
    amounts = {kind: counts[kind] for kind in ("succeeded", "failed", "running")}
    amounts["waiting"] = counts["queued"] + counts["retrying"] + counts["unprocessed"]
    spans = [
        f'<span class="{kind}" style="flex: {amount} 0 0" title="{number(amount)} {kind}"></span>'
        for kind, amount in amounts.items()
        if amount
    ]
    return f'<div class="progress">{"".join(spans)}</div>'


def _figures(facts: Iterable[tuple[str, str]]) -> str:
    cells = [f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in facts]
    return f'<dl class="figures">{"".join(cells)}</dl>' if cells else ""


def _counts(status: StatusDocument) -> Iterator[tuple[str, str]]:
    counts, progress = status["counts"], status["progress"]
    yield "items", number(counts["total"])
    yield "processed", percent(progress["processed"], counts["total"])
    for name in ("succeeded", "failed", "running", "retrying", "queued", "unprocessed", "rejected", "skipped"):
        if counts[name]:
            yield name, number(counts[name])


def _pace(status: StatusDocument) -> Iterator[tuple[str, str]]:
    progress, durations, time = status["progress"], status["durations"], status["time"]
    if time["active_s"]:
        yield "took" if status["done"] else "active for", format_duration(time["active_s"])
    if progress["rate_per_s"]:
        yield "rate", rate(progress["rate_per_s"])
    if progress["eta_s"] is not None:
        yield "done in", format_duration(progress["eta_s"])
    for label, value in (("p50", durations["p50_s"]), ("p95", durations["p95_s"]), ("longest", durations["max_s"])):
        if value is not None:
            yield label, format_duration(value)


# ---- drawings ----


def _charts(report: ReportDocument) -> Iterator[str]:
    status, timeline = report["status"], report["timeline"]
    durations = status["durations"]
    rounds = f"round {status['round']}: items a second, those that failed in red"
    yield from _chart("Throughput", throughput_chart(status["throughput"]), rounds)
    attempts = f"{plural(durations['attempts'], 'attempt')} of all rounds, on a logarithmic axis"
    yield from _chart("Durations", duration_chart(report["histogram"], durations), attempts)
    shown = f"round {timeline['round']}: {plural(len(timeline['bars']), 'attempt')}"
    if timeline["every_nth_item"] > 1:
        shown += f", one item in {number(timeline['every_nth_item'])} is shown"
    yield from _chart("Slots", slots_chart(timeline), shown)


def _chart(heading: str, drawing: Drawing | None, caption: str) -> Iterator[str]:
    if drawing is None:
        return
    yield f"<section><h2>{text(heading)}</h2><figure>"
    yield drawing.markup()
    yield f"<figcaption>{text(caption)}</figcaption></figure></section>"


# ---- what failed, what runs ----


def _failures(report: ReportDocument) -> Iterator[str]:
    failures = report["status"]["failures"]
    if not failures["groups"]:
        return
    yield '<section id="failures"><h2>Failures by cause</h2><div class="wide"><table>'
    yield '<tr><th class="number">items</th><th>cause</th><th>message</th><th>a retry</th></tr>'
    for group, samples in zip(failures["groups"], report["samples"], strict=True):
        yield _failure(group, samples)
    yield "</table></div>"
    hidden = failures["groups_total"] - len(failures["groups"])
    if hidden > 0:
        yield f'<p class="soft">and {plural(hidden, "more cause")}</p>'
    if failures["ungrouped"]:
        yield f'<p class="soft">and {plural(failures["ungrouped"], "failure")} of further causes</p>'
    yield "</section>"


def _failure(group: CauseBlock, samples: Sequence[ItemBlock]) -> str:
    word = "may succeed" if group["retryable"] else "will not help"
    if group["outcome"] == "unknown":
        word += "; what the item did is unknown"
    cells = [
        f'<td class="number">{number(group["count"])}</td>',
        f'<td class="nowrap"><code>{text(group["code"])}</code></td>',
        f"<td>{text(cause_text(group))}{_samples(samples)}</td>",
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
    said = f"<br>{text(item['message'])}" if item["message"] else ""
    took = "" if item["duration_s"] is None else f", took {format_duration(item['duration_s'])}"
    tried = plural(item["attempts"], "attempt")
    return f"<p>item {item['item']} ({tried}{took}): <code>{text(_shortened(row))}</code>{said}</p>"


def _shortened(words: str, limit: int = 400) -> str:
    return words if len(words) <= limit else words[: limit - 1] + "…"


def _running(status: StatusDocument) -> Iterator[str]:
    running = sorted(status["running"], key=lambda item: -item["elapsed_s"])[:16]
    if not running or status["daemon"]["state"] == "down":
        return
    yield '<section><h2>Running, longest first</h2><div class="wide"><table>'
    yield '<tr><th class="number">item</th><th class="number">slot</th><th class="number">attempt</th><th>for</th></tr>'
    for item in running:
        cells = [f'<td class="number">{text(item[key] or "")}</td>' for key in ("item", "slot", "attempt")]
        yield f"<tr>{''.join(cells)}<td>{format_duration(item['elapsed_s'])}</td></tr>"
    yield "</table></div></section>"


def _slowest(status: StatusDocument) -> Iterator[str]:
    slowest = status["durations"]["slowest"]
    if not slowest:
        return
    yield '<section id="slowest"><h2>Slowest items</h2><div class="wide"><table>'
    yield '<tr><th class="number">item</th><th class="number">attempt</th><th>took</th></tr>'
    for slow in slowest:
        cells = [f'<td class="number">{slow[key]}</td>' for key in ("item", "attempt")]
        yield f"<tr>{''.join(cells)}<td>{format_duration(slow['duration_s'])}</td></tr>"
    yield "</table></div></section>"


# ---- what to do, where things are ----


def _retry(status: StatusDocument) -> Iterator[str]:
    retry = status["retry"]
    yield '<section id="retry"><h2>Retry</h2>'
    if retry["available"]:
        yield f"<p>{plural(retry['items'], 'item')} would run again:</p><pre>{text(retry['command'])}</pre>"
    else:
        yield f"<p>Not now: {text(retry['why_not'])}.</p>"
    others = [command for command in status["next"] if command != retry["command"]]
    if others:
        commands = "\n".join(map(text, others))
        yield f'<p class="soft">To see more:</p><pre>{commands}</pre>'
    yield "</section>"


def _results(status: StatusDocument) -> Iterator[str]:
    results = status["results"]
    yield '<section id="results"><h2>Results</h2>'
    if not results["available"]:
        when = "The files are missing from" if status["done"] else "When the job is done, they are in"
        yield f"<p>{when} <code>{text(results['dir'])}</code></p></section>"
        return
    yield '<div class="wide"><table><tr><th>file</th><th class="number">rows</th><th>SHA-256</th></tr>'
    for file in three_files(results):
        yield (
            f'<tr><td><code>{text(file["path"])}</code></td><td class="number">{number(file["rows"])}</td>'
            f"<td><code>{text((file['sha256'] or '')[:16])}</code></td></tr>"
        )
    yield "</table></div></section>"


def _facts(status: StatusDocument) -> Iterator[str]:
    yield '<section><h2>The job</h2><dl class="facts">'
    for name, value in _fact_lines(status):
        yield f"<dt>{text(name)}</dt><dd>{value}</dd>"
    yield "</dl></section>"


def _fact_lines(status: StatusDocument) -> Iterator[tuple[str, str]]:
    """The name and the value of each fact, as HTML."""
    given, time = status["input"], status["time"]
    yield kind_of(status["handler"]).noun, f"<code>{text(work_text(status))}</code>"
    source = "standard input" if given["path"] == "-" else given["path"]
    yield "input", f"{text(source)}, {text(given['format'])}, {plural(given['rows'], 'row')}"
    yield "SHA-256", f"<code>{text(given['sha256'])}</code>"
    began = (("submitted", time["submitted_at"]), ("started", time["started_at"]))
    for name, moment in (*began, ("finished", time["finished_at"]), ("deadline", time["deadline_at"])):
        if moment:
            yield name, _time(moment)
    if time["paused_s"]:
        yield "paused for", format_duration(time["paused_s"])
    yield "policy", text(", ".join(policy_facts(status["policy"])))
    yield "queue", text(status["queue"])
    if status["labels"]:
        yield "labels", text(" ".join(f"{name}={value}" for name, value in status["labels"].items()))
    if status["idempotency"]["key"]:
        yield "key", f"<code>{text(status['idempotency']['key'])}</code>"
    yield "uid", f"<code>{text(status['uid'])}</code>"


def _time(moment: str) -> str:
    """``2026-11-23 18:28:31 UTC``: people read a report elsewhere, where local time differs."""
    return f'<time datetime="{text(moment)}">{text(moment[:19].replace("T", " "))} UTC</time>'
