"""The page of a job for pipes and ``--plain``: the same facts with tabs between fields. Nothing is drawn or cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from jobctl.render.inert import inert
from jobctl.render.job.facts import fact_lines
from jobctl.render.job.progress import (
    counter_texts,
    pace_line,
    progress_facts,
    running_columns,
    running_items,
    slowest_line,
    slowness,
    title_texts,
)
from jobctl.render.look import Look, plain_look
from jobctl.render.plain import table

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument


def print_plain_pages(documents: Sequence[StatusDocument], stream: TextIO) -> None:
    """The pages of some jobs, one after the other. Nothing here needs the library that draws on terminals."""
    look = plain_look(stream)
    stream.write("\n".join("\n".join(plain_page(document, look)) + "\n" for document in documents))


def plain_page(document: StatusDocument, look: Look) -> Iterator[str]:
    """The lines of the page of a status document."""
    dash = look.dash
    yield "{}  {}  {}{}".format(*title_texts(document, look))
    yield inert(document["state_reason"])
    yield ""
    yield "  ".join(progress_facts(document, look))
    yield from filter(None, [dash.join(counter_texts(document).values())])
    if document["attempts"]:  # before the first one has ended there are no figures
        yield from filter(None, (pace_line(document, look), slowest_line(document, look)))
    if document["attention"]:
        yield ""
    for found in document["attention"]:
        yield f"! {inert(found['message'])}"
        yield f"  {inert(found['action'])}"
    if document["failures"]["groups"]:
        yield from _causes(document)
    if document["running"]:
        yield from _running(document, look)
    yield ""
    name = ""
    for label, text in fact_lines(document, look):
        name = label or name  # in every line, so that a program finds each line by its name
        yield f"{name}\t{inert(text)}"


def _causes(document: StatusDocument) -> Iterator[str]:
    from jobctl.render.causes import CAUSE_TITLES, cause_cells, hidden_causes

    groups = document["failures"]["groups"]
    yield ""
    yield table(CAUSE_TITLES, [(*cells[:2], cells[2] + cells[3], cells[4]) for cells in map(cause_cells, groups)])
    hidden = hidden_causes(document, len(groups))
    if hidden:
        yield f"and {hidden}"


def _running(document: StatusDocument, look: Look) -> Iterator[str]:
    running = running_items(document)
    if not running:
        return
    marks = [slowness(item["elapsed_s"], document.get("durations")) for item in running]
    columns = running_columns(running, marks, look)
    yield ""
    yield table(list(columns), zip(*columns.values(), strict=True))
