"""The page of all jobs: conditions, the table, and the notices of jobs that need a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from jobctl.domain.durations import format_duration
from jobctl.domain.job_filter import DEFAULT_SORT, SORTS
from jobctl.domain.states import JobState
from jobctl.domain.wording import number, percent, plural, rate
from jobctl.render.clock import seconds_between
from jobctl.render.pages.forms import Field, address, fields, link
from jobctl.render.pages.frame import Live, Page
from jobctl.render.plain import no_jobs
from jobctl.render.report.page import progress_bar, state_mark
from jobctl.render.report.svg import text_of

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument, StatusListDocument

_TITLES = (">job", "name", "state", "progress", ">processed", ">failed", ">rate", ">done in", ">age")


class JobList(NamedTuple):
    """What a list of jobs shows."""

    document: StatusListDocument
    given: Mapping[str, str]  # the conditions, by name
    after: str | None = None  # the place before this page; None for the first page
    next: str | None = None  # the place before the next page


def job_list_page(found: JobList) -> Page:
    """The page of a list of jobs."""
    document = found.document
    live = sum(not job["done"] for job in document["jobs"])
    title = f"{plural(live, 'job')} not done" if live else "Jobs"
    changes = Live(address("/", {**found.given, "after": found.after or "", "part": "live"}), "/changes", title, title)
    return Page(title, list(_body(found)), "/", changes)


def _body(found: JobList) -> Iterator[str]:
    document = found.document
    yield '<div class="heading"><h1>Jobs</h1>'
    yield f'<p class="soft">{text_of(_total(document))}</p></div>'
    if document["daemon"]["state"] == "down":
        words = "No daemon is running: jobs are accepted and wait."
        yield f'<p class="notice">{words}<br><code>jobctl daemon start</code></p>'
    yield from _conditions(found.given)
    yield from _attention(document)
    if document["jobs"]:
        yield from _table(document)
    else:
        yield f'<p class="empty">{text_of(no_jobs(document))}</p>'
    yield from _paging(found)


def _total(document: StatusListDocument) -> str:
    total, selected = document["jobs_total"], document.get("jobs_selected")
    if selected is not None and selected != total:
        return f"{number(selected)} of {plural(total, 'job')}"
    return plural(total, "job")


def _conditions(given: Mapping[str, str]) -> Iterator[str]:
    states = [("", "in any state"), *((state.value, state.value) for state in JobState)]
    others = ((name, f"{name}: {first}") for name, first in SORTS.items() if name != DEFAULT_SORT)
    orders = [("", f"{DEFAULT_SORT}: {SORTS[DEFAULT_SORT]}"), *others]
    shown = [
        Field("state", "State", given.get("state", ""), choices=states),
        Field("name", "Name", given.get("name", ""), now="nightly*"),
        Field("queue", "Queue", given.get("queue", "")),
        Field("label", "Label", given.get("label", ""), now="team=sales"),
        Field("since", "Submitted since", given.get("since", ""), now="2h, yesterday"),
        Field(
            "sort", "Order", given.get("sort", ""), choices=[orders[0], *(e for e in orders[1:] if e[0] != "submitted")]
        ),
    ]
    is_open = " open" if given else ""
    yield f'<details class="conditions" id="conditions"{is_open}><summary>Conditions</summary>'
    yield f'<form method="get" action="/" role="search" aria-label="Jobs">{fields(shown)}'
    yield f'<p class="buttons"><button>Show</button> {link("/", "Without conditions")}</p></form></details>'


def _attention(document: StatusListDocument) -> Iterator[str]:
    noticed = [(job, job["attention"][0]) for job in document["jobs"] if job["attention"] and not job["done"]]
    if not noticed:
        return
    yield '<section class="attention" aria-label="Attention"><h2>Attention</h2><ul>'
    for job, first in noticed[:8]:
        yield f"<li>{_name(job)}: {text_of(first['message'])}</li>"
    if len(noticed) > 8:
        yield f"<li>and {plural(len(noticed) - 8, 'more job')}</li>"
    yield "</ul></section>"


def _name(job: StatusDocument) -> str:
    return link(f"/jobs/{job['job']}", f"job {job['job']} {job['name']}")


def _table(document: StatusListDocument) -> Iterator[str]:
    yield '<section class="list"><table class="cards" role="table"><caption class="unseen">Jobs</caption>'
    cells = (
        f'<th scope="col" role="columnheader"{" class=number" if title[0] == ">" else ""}>{title.lstrip(">")}</th>'
        for title in _TITLES
    )
    yield f'<thead role="rowgroup"><tr role="row">{"".join(cells)}</tr></thead><tbody role="rowgroup">'
    for job in document["jobs"]:
        yield _row(job, document["at"])
    yield "</tbody></table></section>"


def _row(job: StatusDocument, at: str) -> str:
    progress, counts = job["progress"], job["counts"]
    per_second = "" if job["done"] or not progress["rate_per_s"] else rate(progress["rate_per_s"])
    left = "" if progress["eta_s"] is None else format_duration(progress["eta_s"])
    age = format_duration(max(0.0, seconds_between(job["time"]["submitted_at"], at)))
    failed = f'<span class="bad">{number(counts["failed"])}</span>' if counts["failed"] else ""
    done = f"{number(progress['processed'])} of {number(counts['total'])}"
    share = percent(progress["processed"], counts["total"]) if counts["total"] else ""
    cells = (
        _cell("job", link(f"/jobs/{job['job']}", str(job["job"])), "number key"),
        _cell("name", link(f"/jobs/{job['job']}", job["name"]), "name"),
        _cell("state", state_mark(job["state"]), "state-cell"),
        _cell("progress", progress_bar(job) + f'<span class="share">{share}</span>', "bar"),
        _cell("processed", done, "number"),
        _cell("failed", failed, "number"),
        _cell("rate", per_second, "number"),
        _cell("done in", left, "number"),
        _cell("age", age, "number"),
    )
    return f'<tr role="row" id="job-{job["job"]}">{"".join(cells)}</tr>'


def _cell(title: str, markup: str, style: str = "") -> str:
    kind = f' class="{style}"' if style else ""
    return f'<td role="cell"{kind} data-title="{title}">{markup}</td>'


def _paging(found: JobList) -> Iterator[str]:
    links = [] if found.after is None else [link(address("/", found.given), "First page")]
    if found.next is not None:
        links.append(link(address("/", {**found.given, "after": found.next}), "Next page"))
    if links:
        yield f'<nav class="paging" aria-label="Pages">{" ".join(links)}</nav>'
