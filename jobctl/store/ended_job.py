"""Reads the facts about a job whose round is over, for the event about its end."""

from __future__ import annotations

from jobctl.domain.event import TOP_GROUPS, Cause, EndedJob, event_body
from jobctl.domain.retry_advice import CAUSES, retry_advice, retry_command
from jobctl.domain.shape import hides_the_cause
from jobctl.store import jobs, undone
from jobctl.store.database import Database
from jobctl.store.failures import codes, example, failed_samples, samples_of
from jobctl.store.job_row import JobRow
from jobctl.store.views import jobs as job_views
from jobctl.store.views.failures import top_failures
from jobctl.store.views.undo import held_failures

_SAMPLES = 5


def end_body(database: Database, job: int, number: int, program: str) -> bytes:
    """The event with this id about the end of a job, in the transaction that ends it.

    ``program`` is the command that reaches its store. Later rounds change the facts, so the event must be kept.
    """
    row = jobs.load(database, job)
    assert row is not None
    try:
        return event_body(ended_job(database, row, program), number)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # Damaged rows of one job must not end the engine, which works for all the others.
        return event_body(_without_causes(row), number)


def _without_causes(row: JobRow) -> EndedJob:
    """What is known about a job whose causes, results or times cannot be read."""
    return EndedJob(
        job=row.id,
        uid=str(row.uid),
        name=str(row.name),
        key=None if row.key is None else str(row.key),
        queue=str(row.queue),
        state=row.state,
        reason="parts of it are damaged in the database",
        round=row.round,
        counts=row.counts,
        causes=(),
        retry_command=None,
        retry_items=0,
        results=None,
        submitted_at=0,
        started_at=None,
        finished_at=row.finished_at or 0,
    )


def ended_job(database: Database, row: JobRow, program: str) -> EndedJob:
    """A job whose round is over; ``program`` is the command that reaches its store."""
    written = job_views.results(database, row.id) or {}
    retryable, held_back = _to_retry(database, row)
    advice = retry_advice(row.policy, codes(database, row.id, CAUSES), row.state, row.finished_at or 0)
    command = retry_command(program, row.id, advice, more=() if retryable else ("--unknown",))
    return EndedJob(
        job=row.id,
        uid=row.uid,
        name=row.name,
        key=row.key,
        queue=row.queue,
        state=row.state,
        reason=jobs.reason(database, row.id),
        round=row.round,
        counts=row.counts,
        causes=_top_causes(database, row.id),
        retry_command=command if retryable or held_back else None,
        retry_items=retryable or held_back,
        results=written.get("dir"),
        submitted_at=row.submitted_at,
        started_at=row.started_at,
        finished_at=row.finished_at or 0,
        undo_of=row.undo_of,
        undo_job=undone.begun_by(database, row.id, row.finished_at or 0),
    )


def _to_retry(database: Database, row: JobRow) -> tuple[int, int]:
    """The number of items that a plain retry takes, and of those that it leaves out: they may have had their effect."""
    held_back = 0
    if row.policy.on_crash == "fail":
        sql = "SELECT coalesce(sum(items), 0) FROM failures WHERE job = ? AND outcome = 'unknown'"
        held_back = int(database.scalar(sql, (row.id,)))
    undone_items = held_failures(database, row.id, careful=row.policy.on_crash == "fail")
    return max(0, row.counts.failed - held_back + row.counts.unprocessed - undone_items), held_back


def _top_causes(database: Database, job: int) -> list[Cause]:
    causes = []
    for f in top_failures(database, job, TOP_GROUPS):
        items = failed_samples(database, job, f.id, samples_of(f.samples))[:_SAMPLES]
        full_message = example(database, job, f.id, items) if hides_the_cause(f.message) else None
        causes.append(Cause(f.code, f.message, f.items, bool(f.retryable), f.outcome, items, full_message))
    return causes
