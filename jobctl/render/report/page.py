"""The report of a job: one HTML file that loads nothing, and in which no text of a row can act."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from jobctl.domain.durations import format_duration
from jobctl.domain.wording import number, percent, plural, rate
from jobctl.render.bar import share_cells
from jobctl.render.report.charts import duration_chart, slots_chart, throughput_chart
from jobctl.render.report.links import NO_LINKS, Links
from jobctl.render.report.sections import (
    facts_section,
    failures_section,
    results_section,
    retry_section,
    running_section,
    slowest_section,
    time_markup,
)
from jobctl.render.report.style import STYLE
from jobctl.render.report.svg import Drawing, text_of

if TYPE_CHECKING:
    from jobctl.domain.documents.explain import HoldBlock
    from jobctl.domain.documents.report import ReportDocument
    from jobctl.domain.documents.status import StatusDocument
    from jobctl.domain.documents.status_blocks import AttentionBlock


#: The browser must load nothing for the page, whatever the page contains.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def report_page(report: ReportDocument) -> str:
    """The page of a report document."""
    status = report["status"]
    title = text_of(f"job {status['job']}, {status['name']}: {status['state']}")
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        "<header>",
        *head_lines(report),
        "</header>",
        *charts(report),
        *failures_section(report),
        *running_section(status),
        *slowest_section(status),
        *retry_section(status),
        *results_section(status),
        *facts_section(status),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def head_lines(report: ReportDocument) -> Iterator[str]:
    """The name, the state with its reason, the bar, the figures and the notices of a job."""
    status = report["status"]
    yield f"<h1>job {status['job']} {text_of(status['name'])} {state_mark(status['state'])}</h1>"
    yield f"<p>{text_of(status['state_reason'])}</p>"
    yield progress_bar(status)
    yield _figures(count_facts(status))
    yield _figures(pace_facts(status))
    yield from map(notice, status["attention"])
    yield f'<p class="soft">as of {time_markup(report["at"])}, round {status["round"]}</p>'


def state_mark(state: str) -> str:
    """The state of a job or an item as a coloured word."""
    word = text_of(state)
    return f'<span class="state {word}">{word}</span>'


def notice(found: AttentionBlock | HoldBlock) -> str:
    """A notice with the command to type."""
    command = f"<br><code>{text_of(found['action'])}</code>" if found["action"] else ""
    return f'<p class="notice">{text_of(found["message"])}{command}</p>'


class BarPart(NamedTuple):
    """The part of a bar for one kind of items, in thousandths of the bar."""

    kind: str
    left: int
    width: int
    tip: str


def bar_parts(status: StatusDocument) -> Iterator[BarPart]:
    """The parts of the bar of a job that have items."""
    counts = status["counts"]
    waiting = counts["queued"] + counts["retrying"] + counts["unprocessed"]
    amounts = {"succeeded": counts["succeeded"], "failed": counts["failed"], "running": counts["running"]}
    amounts["waiting"] = waiting
    left = 0
    for (kind, amount), width in zip(amounts.items(), share_cells(list(amounts.values()), 1000), strict=True):
        if width:
            yield BarPart(kind, left, width, f"{number(amount)} {kind}")
        left += width


def bar_words(status: StatusDocument) -> str:
    """The bar of a job in words."""
    counts, progress = status["counts"], status["progress"]
    share = percent(progress["processed"], counts["total"])
    return f"{share}, {number(progress['processed'])} of {plural(counts['total'], 'item')} processed"


def progress_bar(status: StatusDocument) -> str:
    """The bar of a job, as a drawing: a style in an attribute would need a weaker policy of the page."""
    boxes = "".join(
        f'<rect class="{part.kind}" x="{part.left}" y="0" width="{part.width}" height="10">'
        f"<title>{part.tip}</title></rect>"
        for part in bar_parts(status)
    )
    state = f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{100 * status["progress"]["fraction"]:.0f}"'
    label = f'aria-label="job {status["job"]}"'
    return (
        f'<div class="progress" role="progressbar" {label} {state} aria-valuetext="{bar_words(status)}">'
        f'<svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">{boxes}</svg></div>'
    )


def _figures(facts: Iterable[tuple[str, str]]) -> str:
    cells = [f"<div><dt>{text_of(name)}</dt><dd>{text_of(value)}</dd></div>" for name, value in facts]
    return f'<dl class="figures">{"".join(cells)}</dl>' if cells else ""


def count_facts(status: StatusDocument) -> Iterator[tuple[str, str]]:
    """The names and the numbers of items in each state."""
    counts, progress = status["counts"], status["progress"]
    yield "items", number(counts["total"])
    yield "processed", percent(progress["processed"], counts["total"])
    for name in ("succeeded", "failed", "running", "retrying", "queued", "unprocessed", "rejected", "skipped"):
        if counts[name]:
            yield name, number(counts[name])


def pace_facts(status: StatusDocument) -> Iterator[tuple[str, str]]:
    """The names and the values of durations and of the expected end."""
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


def charts(report: ReportDocument, links: Links = NO_LINKS) -> Iterator[str]:
    """The three drawings of a report, each in a section with a caption."""
    status, timeline = report["status"], report["timeline"]
    durations = status["durations"]
    rounds = f"round {status['round']}: items a second, those that failed in red"
    yield from _chart("Throughput", throughput_chart(status["throughput"]), rounds)
    attempts = f"{plural(durations['attempts'], 'attempt')} of all rounds, on a logarithmic axis"
    yield from _chart("Durations", duration_chart(report["histogram"], durations), attempts)
    shown = f"round {timeline['round']}: {plural(len(timeline['bars']), 'attempt')}"
    if timeline["every_nth_item"] > 1:
        shown += f", one item in {number(timeline['every_nth_item'])} is shown"
    yield from _chart("Slots", slots_chart(timeline, has_tips=status["done"] or not links.live), shown)


def _chart(heading: str, drawing: Drawing | None, caption: str) -> Iterator[str]:
    if drawing is None:
        return
    yield f'<section class="chart"><h2>{text_of(heading)}</h2><figure tabindex="0">'
    yield drawing.markup()
    yield f"<figcaption>{text_of(caption)}</figcaption></figure></section>"
