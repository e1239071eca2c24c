"""Reads what a page shows: documents of the services, all from one connection."""

from __future__ import annotations

import codecs
from contextlib import closing, suppress

from jobctl.config import Home
from jobctl.domain.selection import Selection
from jobctl.domain.states import TERMINAL_JOB_STATES
from jobctl.errors import NotFound
from jobctl.render.pages.actions import RefusedForm
from jobctl.render.pages.frame import Viewer
from jobctl.render.pages.item import ItemPage, Output
from jobctl.render.pages.items import ItemList
from jobctl.render.pages.job import JobPage
from jobctl.services.causes import Wanted, causes_document
from jobctl.services.control.targets import Target
from jobctl.services.output.items import Listing
from jobctl.services.output.logs import end_of, piece
from jobctl.services.output.report import Subject, report
from jobctl.services.status.document import GROUPS
from jobctl.services.why.explain import explain
from jobctl.store.database import Database
from jobctl.store.views import items as item_views
from jobctl.store.views.items import AttemptView

#: The most bytes of output that the page of an item begins with.
OUTPUT = 64 << 10
#: Items of one page, and the bytes of their rows: at least one row, which may have cells of many megabytes.
ITEMS = 100
MOST_BYTES = 4 << 20
#: The most causes among which a list of items lets a person choose.
CAUSES = 100


def job_page_of(
    database: Database, home: Home, subject: Subject, viewer: Viewer, said: str = "", refused: RefusedForm | None = None
) -> JobPage:
    """What the page of a job shows at ``subject.now``. Raises NotFound."""
    return JobPage(
        report(database, home, subject),
        explain(database, home, Target(subject.job), subject.now, program=subject.program),
        causes_document(database, subject.job, Wanted(limit=GROUPS), program=subject.program),
        viewer,
        said,
        refused,
    )


def item_list_of(
    database: Database, home: Home, subject: Subject, selection: Selection, given: dict[str, str], after: int
) -> ItemList:
    """A page of the items of a job after a number. Raises NotFound, UsageError for a condition that does not fit."""
    with closing(Listing(home, str(subject.job), selection, after, ITEMS, now=subject.now)) as listing:
        document = listing.part(MOST_BYTES)
        note = "" if document["items"] else listing.note()
    causes = causes_document(database, subject.job, Wanted(limit=CAUSES), program=subject.program)
    return ItemList(document, causes, given, after, note)


def item_page_of(
    database: Database, home: Home, subject: Subject, item: int, viewer: Viewer, attempt: int | None = None
) -> ItemPage:
    """What the page of an item shows; ``attempt`` None = the latest one. Raises NotFound."""
    explained = explain(database, home, Target(subject.job, item), subject.now, program=subject.program)
    with closing(Listing(home, f"{subject.job}.{item}", Selection(), limit=1, now=subject.now)) as listing:
        (block,) = listing.document()["items"]
    attempts = item_views.attempts(database, subject.job, item)
    chosen = [each for each in attempts if attempt in (None, each.attempt)][-1:]
    if attempt is not None and not chosen:
        raise NotFound(f"item {subject.job}.{item} has no attempt {attempt}")
    outputs = [output for each in chosen for output in _outputs(home, subject.job, each)]
    is_done = explained["state"] in TERMINAL_JOB_STATES
    return ItemPage(block, explained, outputs, chosen[0].attempt if chosen else None, attempt, is_done, viewer)


def _outputs(home: Home, job: int, attempt: AttemptView) -> list[Output]:
    return [_output(home, job, attempt, stream) for stream in ("out", "err")]


def _output(home: Home, job: int, attempt: AttemptView, stream: str) -> Output:
    name = {"out": "stdout", "err": "stderr"}[stream]
    runs = attempt.ending is None
    with suppress(FileNotFoundError):
        begin, data = end_of(piece(home, job, attempt, stream), OUTPUT)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(data, not runs)  # the rest of a character may follow
        return Output(name, text, begin, begin + len(data) - len(decoder.getstate()[0]), runs)
    return Output(name, "" if runs else None, 0, 0, runs)
