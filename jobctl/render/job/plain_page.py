"""The page of a job for pipes and ``--plain``: the same facts with tabs between fields. Nothing is drawn or cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jobctl.render.causes import hidden_causes
from jobctl.render.inert import inert
from jobctl.render.job.blocks import failure_rows, running_rows, slowest_line
from jobctl.render.job.pace import figures_line
from jobctl.render.job.page import counters, fact_lines, job_title, progress_facts
from jobctl.render.look import Look
from jobctl.render.plain import table

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument


def plain_page(document: StatusDocument, look: Look) -> Iterator[str]:
    """The lines of the page of a status document."""
    yield job_title(document, look).plain
    yield inert(document["state_reason"])
    yield ""
    yield "  ".join(progress_facts(document, look))
    slowest = slowest_line(document, look)
    for line in (counters(document, look).plain, figures_line(document, look), slowest.plain if slowest else ""):
        if line:
            yield line
    if document["attention"]:
        yield ""
    for found in document["attention"]:
        yield f"! {inert(found['message'])}"
        yield f"  {inert(found['action'])}"
    yield from _causes(document)
    running = running_rows(document, look)
    if running is not None:
        yield ""
        yield table(*running)
    yield ""
    yield from _facts(document, look)


def _causes(document: StatusDocument) -> Iterator[str]:
    groups = document["failures"]["groups"]
    if not groups:
        return
    yield ""
    yield table(*failure_rows(groups))
    hidden = hidden_causes(document, len(groups))
    if hidden:
        yield f"and {hidden}"


def _facts(document: StatusDocument, look: Look) -> Iterator[str]:
    """Facts, with the name in every line, so that a program finds each line by its name."""
    name = ""
    for label, text in fact_lines(document, look):
        name = label or name
        yield f"{name}\t{inert(text)}"
