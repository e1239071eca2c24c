"""The page of a job: the report, live, with links to the items and with what a person can do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from jobctl.domain.wording import number, percent, plural
from jobctl.render.explain import journal_text
from jobctl.render.job.facts import after_text, undo_text
from jobctl.render.pages.actions import RefusedForm, actions, retry_cause
from jobctl.render.pages.forms import address, link
from jobctl.render.pages.frame import Live, Page, Viewer
from jobctl.render.report.links import Links
from jobctl.render.report.page import charts, head_lines, notice
from jobctl.render.report.sections import (
    facts_section,
    failures_section,
    results_section,
    retry_section,
    running_section,
    slowest_section,
    time_markup,
    titles,
    wide,
)
from jobctl.render.report.svg import text_of

if TYPE_CHECKING:
    from jobctl.domain.documents.causes import CausesDocument
    from jobctl.domain.documents.explain import ExplainDocument
    from jobctl.domain.documents.failures import CauseBlock
    from jobctl.domain.documents.report import ReportDocument
    from jobctl.domain.documents.status import StatusDocument


class JobPage(NamedTuple):
    """What the page of a job shows."""

    report: ReportDocument
    explained: ExplainDocument
    causes: CausesDocument
    viewer: Viewer
    said: str = ""  # the answer to what the person did
    refused: RefusedForm | None = None


class PageLinks(Links):
    """Where the parts of the page of a job lead."""

    live = True

    def __init__(self, status: StatusDocument, causes: CausesDocument, viewer: Viewer) -> None:
        self._status = status
        self._viewer = viewer
        self._causes = {(each["code"], each["message"]): each for each in causes["causes"]}

    def item(self, number: int) -> str:
        """The number of an item, which leads to its page."""
        return f'<a href="/jobs/{self._status["job"]}/items/{number}">{number}</a>'

    def cause(self, group: CauseBlock) -> str:
        """The button that retries the items of a cause, and their list, with the command for it."""
        found = self._causes.get((group["code"], group["message"]))
        if found is None:
            return ""
        word, job = found["cause"], self._status["job"]
        shown = link(address(f"/jobs/{job}/items", {"cause": word}), "Show its items")
        command = f"<code>{text_of(found['command'])}</code>" if found["command"] else ""
        retry = retry_cause(self._status, group, word) if self._viewer.may_control else ""
        return f'<div class="links">{retry}{shown}{command}</div>'

    def result(self, kind: str, path: str | None) -> str:
        """The name of a result file, which leads to the file."""
        name = (path or kind).rpartition("/")[2]
        ending = name.rpartition(".")[2]
        target = text_of(f"/v1/jobs/{self._status['job']}/results/{kind}.{ending}")
        return f'<a href="{target}" download>{text_of(name)}</a>'


def job_title(status: StatusDocument) -> str:
    """The title of a page: the share and the state, which a row of tabs shows first."""
    share = percent(status["progress"]["processed"], status["counts"]["total"])
    state = status["state"] if status["done"] else f"{share} {status['state']}"
    return f"{state}: {status['name']} (job {status['job']})"


def job_in_steps(status: StatusDocument) -> str:
    """The state and the share in steps of a tenth: a screen reader would not stop if it heard of every item."""
    if status["done"]:
        return f"job {status['job']} {status['state']}: {status['state_reason']}"
    share = 10 * int(10 * status["progress"]["fraction"])
    return f"job {status['job']} {status['state']}, {share} % processed"


def job_page(found: JobPage) -> Page:
    """The page of a job."""
    status = found.report["status"]
    job, title = status["job"], job_title(status)
    live = Live(f"/jobs/{job}?part=live", f"/jobs/{job}/changes", title, job_in_steps(status))
    # A form that is shown again stays as the person filled it in, so the page does not change then.
    return Page(title, list(_body(found)), "", None if found.refused else live, said=found.said)


def _body(found: JobPage) -> Iterator[str]:
    status = found.report["status"]
    links = PageLinks(status, found.causes, found.viewer)
    yield '<header class="job">'
    yield from head_lines(found.report)
    yield from _lineage(status)
    yield '<p class="links">' + link(f"/jobs/{status['job']}/items", f"All {plural(status['counts']['total'], 'item')}")
    yield link(f"/v1/jobs/{status['job']}/report", "Report as a file") + "</p>"
    if found.viewer.may_control:
        yield from actions(status, found.refused)
    yield "</header>"
    yield from _holds(found.explained)
    yield from failures_section(found.report, links)
    yield from running_section(status, links)
    yield '<div class="columns">'
    yield from charts(found.report, links)
    yield from slowest_section(status, links)
    yield from results_section(status, links)
    yield from retry_section(status)
    yield "</div>"
    yield from history_section(found.explained)
    yield from facts_section(status)


def _lineage(status: StatusDocument) -> Iterator[str]:
    """The other jobs that belong to this one."""
    undo = status.get("undo")
    if undo is not None and undo["of"] is not None:
        yield "<p>It " + link(f"/jobs/{undo['of']}", undo_text(status)) + ".</p>"
    elif undo is not None and undo["jobs"]:
        yield "<p>" + link(f"/jobs/{undo['jobs'][-1]}", undo_text(status)) + "</p>"
    if status["input"]["resubmit_of_job"]:
        job = status["input"]["resubmit_of_job"]
        yield f"<p>Its rows come from {link(f'/jobs/{job}', f'job {job}')}.</p>"
    if status["after"]:
        yield f"<p>It comes after {text_of(after_text(status))}.</p>"


def _holds(explained: ExplainDocument) -> Iterator[str]:
    """What keeps items from starting, unless the notices at the top say it."""
    known = {each["message"] for each in explained["attention"]}
    found = [hold for hold in explained["holds"] if hold["message"] not in known]
    if found:
        yield '<section id="holds"><h2>What keeps items from starting</h2>'
        yield from map(notice, found)
        yield "</section>"


def history_section(explained: ExplainDocument) -> Iterator[str]:
    """The journal, newest line first: who did what, when and why."""
    yield f'<section id="history"><h2>History</h2>{wide("History")}<table>'
    yield titles(("when", "who", "what"))
    for entry in reversed(explained["journal"]):
        when = f'<td class="nowrap">{time_markup(entry["at"])}</td>'
        who = f'<td class="who">{text_of(entry["actor"])}</td>'
        yield f'<tr>{when}{who}<td class="words">{text_of(journal_text(entry))}</td></tr>'
    yield "</table></div>"
    hidden = explained["journal_total"] - len(explained["journal"])
    if hidden:
        yield f'<p class="soft">and {number(hidden)} earlier: <code>jobctl events {explained["job"]}</code></p>'
    yield "</section>"
