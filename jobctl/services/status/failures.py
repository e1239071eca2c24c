"""The blocks ``failures`` and ``retry`` of the status document: causes of failure, and the command for a retry."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from jobctl.domain.durations import format_time
from jobctl.domain.retry_advice import Advice, retry_advice, retry_command
from jobctl.services.why.situation import Situation
from jobctl.store.database import Database
from jobctl.store.failures import example, failed_samples, samples_of
from jobctl.store.views import jobs as job_views
from jobctl.store.views.failures import FailureView
from jobctl.store.views.jobs import JobView

if TYPE_CHECKING:
    from jobctl.domain.documents.failures import CauseBlock, FailuresBlock, OutcomeName, RetryBlock

#: The most jobs that one command names; of a longer chain, it names the beginning.
_MOST_BEFORE = 20


def failures_block(
    database: Database, job: JobView, causes: list[FailureView], limit: int, program: str
) -> FailuresBlock:
    """Return the ``failures`` block: the most frequent causes, at most ``limit`` of them."""
    shown = [cause for cause in causes if cause.items or _is_pending(job, cause)]
    return {
        "groups": [_group(database, job, cause) for cause in shown[:limit]],
        "groups_total": len(shown),
        "ungrouped": job.failures_ungrouped,
        "command": f"{program} causes {job.id}" if shown or job.failures_ungrouped else None,
    }


def all_causes(block: FailuresBlock) -> str | None:
    """Return the command that shows all causes, if the block does not have them all."""
    return block.get("command") if block["groups_total"] > len(block["groups"]) or block["ungrouped"] else None


def _is_pending(job: JobView, cause: FailureView) -> bool:
    """Return whether items that wait for another attempt may have failed for this cause in the present round."""
    return bool(job.retrying and cause.attempts and cause.last_at >= job.round_at)


def _samples(database: Database, job: JobView, cause: FailureView) -> list[int]:
    """Items that failed for this cause; before any has failed, items that met it and wait for another attempt."""
    samples = samples_of(cause.samples)
    return failed_samples(database, job.id, cause.id, samples) if cause.items else samples


def _group(database: Database, job: JobView, cause: FailureView) -> CauseBlock:
    samples = _samples(database, job, cause)
    return {
        "code": cause.code,
        "message": cause.message,
        "count": cause.items,
        "retryable": bool(cause.retryable),
        "outcome": cast("OutcomeName", cause.outcome),
        "sample_items": samples,
        "first_at": format_time(cause.first_at),
        "last_at": format_time(cause.last_at),
        "attempts": cause.attempts,
        "example": example(database, job.id, cause.id, samples) if "<" in cause.message else None,
    }


def unsuccessful_before(database: Database, job: JobView, now: int) -> list[tuple[int, Advice]]:
    """Return the jobs without success before this one, directly or through other jobs, lowest number first.

    Each has the rules with which it should be retried.

    They have to be retried together with it: otherwise it would be cancelled again. A job comes only after jobs with
    lower numbers, so there are no cycles.
    """
    from jobctl.services.why.retries import advice_for  # few jobs come after others

    found: dict[int, Advice] = {}
    ahead = [job]
    while ahead and len(found) < _MOST_BEFORE:
        for number, condition in json.loads(ahead.pop().after):
            other = job_views.job(database, number) if condition == "ok" and number not in found else None
            if other is not None and other.is_done and other.state != "succeeded":
                found[number] = advice_for(database, other, now)
                ahead.append(other)
    return sorted(found.items())


def _why_not(case: Situation) -> str:
    if not case.job.is_done:
        return "job is not done"
    return "the rows that failed were taken back" if case.held_by_undo else "every item succeeded"


def retry_block(case: Situation, causes: list[FailureView], before: Sequence[tuple[int, Advice]] = ()) -> RetryBlock:
    """Return the ``retry`` block; ``before`` are jobs that have to be retried with this one."""
    job, policy = case.job, case.policy
    unknown = sum(c.items for c in causes if c.outcome == "unknown")
    permanent = sum(c.items for c in causes if c.outcome == "known" and not c.retryable)
    # With --on-crash fail, an item that may have had its effect runs again only if the user asks for it.
    held_back = unknown if policy.on_crash == "fail" else 0
    items = max(0, job.failed - held_back + job.unprocessed - case.held_by_undo)
    command, advice = None, Advice()
    if job.is_done and (items or held_back):
        failed_for = {cause.code for cause in causes if cause.items}
        advice = retry_advice(policy, failed_for, job.state, case.now, job.undo_of)
        command = retry_command(case.program, job.id, advice, before=before, more=() if items else ("--unknown",))
    return {
        "available": command is not None,
        "why_not": None if command else _why_not(case),
        "items": (items or held_back) if job.is_done else 0,
        "failed_retryable": max(0, job.failed - unknown - permanent),
        "failed_permanent": permanent,
        "outcome_unknown": unknown,
        "unprocessed": job.unprocessed,
        "command": command,
        "note": advice.note or None,
    }
