"""Reads what a notification says about a job whose round is over."""

from __future__ import annotations

import json

from jobctl.domain.event import Cause, EndedJob
from jobctl.domain.shape import hides_the_cause
from jobctl.store.damage import mended
from jobctl.store.database import Database
from jobctl.store.failures import example, failed_samples, samples_of
from jobctl.store.job_row import JobRow

_SAMPLES = 5


def ended_job(database: Database, row: JobRow, program: str) -> EndedJob:
    """A job whose round is over; ``program`` is the command that reaches its store."""
    reason, results = database.one("SELECT reason, results FROM jobs WHERE id = ?", (row.id,))
    written = json.loads(mended({"results": results})[0]["results"] or "{}")
    retryable, held_back = _to_retry(database, row)
    command = f"{program} retry {row.id}" + ("" if retryable else " --unknown")
    return EndedJob(
        job=row.id,
        uid=row.uid,
        name=row.name,
        key=row.key,
        queue=row.queue,
        state=row.state,
        reason=reason,
        round=row.round,
        counts=row.counts,
        causes=_top_causes(database, row.id),
        retry_command=command if retryable or held_back else None,
        retry_items=retryable or held_back,
        results=written.get("dir"),
        submitted_at=row.submitted_at,
        started_at=row.started_at,
        finished_at=row.finished_at or 0,
    )


def _to_retry(database: Database, row: JobRow) -> tuple[int, int]:
    """The number of items that a plain retry takes, and of those that it leaves out: they may have had their effect."""
    held_back = 0
    if row.policy.on_crash == "fail":
        sql = "SELECT coalesce(sum(items), 0) FROM failures WHERE job = ? AND outcome = 'unknown'"
        held_back = int(database.scalar(sql, (row.id,)))
    return row.counts.failed - held_back + row.counts.unprocessed, held_back


def _top_causes(database: Database, job: int) -> list[Cause]:
    rows = database.execute(
        "SELECT id, code, message, items, retryable, outcome, samples FROM failures"
        " WHERE job = ? AND items > 0 ORDER BY items DESC, id LIMIT 3",
        (job,),
    ).fetchall()
    causes = []
    for n, code, message, count, retryable, known, text in rows:
        items = failed_samples(database, job, n, samples_of(text))[:_SAMPLES]
        said = example(database, job, n, items) if hides_the_cause(message) else None
        causes.append(Cause(code, message, count, bool(retryable), known, items, said))
    return causes
