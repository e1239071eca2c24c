"""``jobctl report``: the data of a report, with charts and samples of limited size, and writing the page."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jobctl.config import Home
from jobctl.domain.durations import format_time
from jobctl.domain.endings import Ending
from jobctl.domain.states import ItemState
from jobctl.errors import no_such_job
from jobctl.services.output.items import item_document
from jobctl.services.output.write_file import write_whole
from jobctl.services.status.document import job_document
from jobctl.store import clock, figures
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import items as item_views
from jobctl.store.views import jobs as job_views
from jobctl.store.views.jobs import JobView
from jobctl.store.views.timeline import Bar, timeline

if TYPE_CHECKING:
    from jobctl.domain.documents.items import ItemBlock
    from jobctl.domain.documents.report import BarBlock, BarStateName, ReportDocument, ReportFileDocument, TimelineBlock
    from jobctl.domain.documents.status import StatusDocument

SCHEMA: Final = "jobctl.report/1"
_FILE_SCHEMA: Final = "jobctl.report_file/1"
#: The most bars of the histogram, and the most items shown for each cause of failure.
BINS = 60
SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Subject:
    """The job that a report describes; ``now`` is in microseconds UTC."""

    job: int
    now: int
    program: str = "jobctl"


def report(database: Database, home: Home, subject: Subject) -> ReportDocument:
    """Return ``jobctl.report/1`` of a job. Raises NotFound."""
    document = job_document(database, home, subject.job, subject.now, program=subject.program)
    with database.snapshot():
        job = job_views.job(database, subject.job)
        if job is None:  # it was removed a moment ago
            raise no_such_job(subject.job)
        kept = figures.durations(database, job.id)
        return {
            "schema": SCHEMA,
            "at": format_time(subject.now),
            "status": document,
            "histogram": [
                {"from_s": low / 1e6, "below_s": high / 1e6, "attempts": count} for low, high, count in kept.bins(BINS)
            ],
            "timeline": _timeline(database, job, document, clock.in_store(database, subject.now)),
            "samples": [_samples(database, job, group["sample_items"]) for group in document["failures"]["groups"]],
        }


def report_of(home: Home, job: int, now: int, *, program: str = "jobctl") -> ReportDocument:
    """Return ``jobctl.report/1`` of a job in the store of a home; ``now`` is in microseconds UTC. Raises NotFound."""
    with closing(open_database(home)) as database:
        return report(database, home, Subject(job, now, program))


def write_report(job: int, page: str, path: Path | None) -> ReportFileDocument:
    """Write a page completely or not at all; returns ``jobctl.report_file/1``. An existing file is replaced.

    Without a path nothing is written, and the document contains the page. Raises UsageError, HomeError.
    """
    data = page.encode()
    if path is None:
        return {"schema": _FILE_SCHEMA, "job": job, "path": None, "bytes": len(data), "html": page}
    with write_whole(path) as file:
        file.write(data)
    return {"schema": _FILE_SCHEMA, "job": job, "path": str(path.absolute()), "bytes": len(data)}


def _timeline(database: Database, job: JobView, document: StatusDocument, now: int) -> TimelineBlock:
    found = timeline(database, job.id, job.attempts)
    is_up = document["daemon"]["state"] != "down"
    bars = [bar for bar in found.bars if bar.ending is not None or is_up]
    began = min((bar.started_at for bar in bars), default=now)
    return {
        "round": found.round,
        "every_nth_item": found.each,
        "from_at": format_time(began),
        "bars": [_bar(bar, began, now) for bar in bars],
    }


def _bar(bar: Bar, began: int, now: int) -> BarBlock:
    lasted = max(0, now - bar.started_at) if bar.duration_us is None else bar.duration_us
    return {
        "item": bar.item,
        "attempt": bar.attempt,
        "slot": bar.slot,
        "start_s": (bar.started_at - began) / 1e6,
        "duration_s": lasted / 1e6,
        "state": _state(bar),
    }


def _state(bar: Bar) -> BarStateName:
    if bar.ending is None:
        return "running"
    return "succeeded" if bar.ending == Ending.EXITED and bar.code == 0 else "failed"


def _samples(database: Database, job: JobView, numbers: list[int]) -> list[ItemBlock]:
    """Items that failed for one cause, with their rows and messages."""
    columns = json.loads(job.columns)
    return [
        item_document(job.id, item, columns, job.input_format)
        for item in item_views.items(database, job.id, numbers[:SAMPLES])
        if item.state in (ItemState.FAILED, ItemState.RETRYING)
    ]
