"""The body of a notification: small, complete enough to act on, the same bytes for every attempt of its delivery."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from jobctl.domain.durations import format_time
from jobctl.domain.states import Counts, JobState
from jobctl.domain.texts import shown
from jobctl.domain.wording import ended_sentence

if TYPE_CHECKING:
    from jobctl.domain.documents.event import EventCauseBlock, EventDocument, EventName
    from jobctl.domain.documents.failures import OutcomeName
    from jobctl.domain.documents.status_blocks import CountsBlock
    from jobctl.domain.documents.values import EndedJobState

#: The specification asks for less than 20 kB.
BODY_LIMIT = 20_000
TOP_GROUPS = 3
_TEXT_LIMITS = (2_000, 500, 120, 20)


@dataclass(frozen=True, slots=True)
class Cause:
    """Failures of a job that have the same cause."""

    code: str
    message: str
    count: int
    retryable: bool
    outcome: str
    sample_items: Sequence[int]
    example: str | None = None  # a real message, where the general one says nothing


@dataclass(frozen=True, slots=True)
class EndedJob:
    """A job whose round is over, with everything that a notification says about it."""

    job: int
    uid: str
    name: str
    key: str | None
    queue: str
    state: JobState
    reason: str  # why it was stopped; empty if it was not
    round: int
    counts: Counts
    causes: Sequence[Cause]
    retry_command: str | None
    retry_items: int
    results: str | None
    submitted_at: int
    started_at: int | None
    finished_at: int
    undo_of: int | None = None  # the job whose rows it takes back
    undo_job: int | None = None  # the job that takes its rows back


def event_type(state: JobState) -> str:
    """``job.succeeded``, ``job.partial``..."""
    return f"job.{state.value}"


def event_body(ended: EndedJob) -> bytes:
    """JSON of less than BODY_LIMIT bytes; texts are cut if necessary."""
    for limit in _TEXT_LIMITS:
        body = _encode(_document(ended, limit))
        if len(body) < BODY_LIMIT:
            return body
    return _encode(_document(replace(ended, results=None, retry_command=None, causes=()), _TEXT_LIMITS[-1]))


def _encode(document: EventDocument) -> bytes:
    # Bytes of a file name that are not UTF-8 come as lone surrogates, which JSON cannot carry.
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return shown(text, in_json=True).encode()


def _document(ended: EndedJob, limit: int) -> EventDocument:
    document = _of_any_job(ended, limit)
    if ended.undo_of is not None or ended.undo_job is not None:
        document["data"]["undo"] = {"of": ended.undo_of, "job": ended.undo_job}
    return document


def _of_any_job(ended: EndedJob, limit: int) -> EventDocument:
    state_reason = ended_sentence(ended.state, _cut(ended.reason, limit), ended.counts)
    return {
        "type": cast("EventName", event_type(ended.state)),
        "timestamp": format_time(ended.finished_at),
        "data": {
            "id": ended.job,
            "uid": ended.uid,
            "name": _cut(ended.name, limit),
            "key": ended.key,
            "queue": _cut(ended.queue, limit),
            "state": cast("EndedJobState", ended.state.value),
            "state_reason": state_reason,
            "round": ended.round,
            "counts": _counts(ended.counts),
            "time": {
                "submitted_at": format_time(ended.submitted_at),
                "started_at": None if ended.started_at is None else format_time(ended.started_at),
                "finished_at": format_time(ended.finished_at),
            },
            "failures": {"groups": [_cause(cause, limit) for cause in ended.causes[:TOP_GROUPS]]},
            "retry": {
                "available": ended.retry_command is not None,
                "items": ended.retry_items,
                "command": ended.retry_command,
            },
            "results": {"dir": ended.results},
        },
    }


def _counts(counts: Counts) -> CountsBlock:
    return {
        "total": counts.total,
        "queued": counts.queued,
        "running": counts.running,
        "retrying": counts.retrying,
        "succeeded": counts.succeeded,
        "failed": counts.failed,
        "unprocessed": counts.unprocessed,
        "rejected": counts.rejected,
        "skipped": counts.skipped,
    }


def _cause(cause: Cause, limit: int) -> EventCauseBlock:
    found: EventCauseBlock = {
        "code": cause.code,
        "message": _cut(cause.message, limit),
        "count": cause.count,
        "retryable": cause.retryable,
        "outcome": cast("OutcomeName", cause.outcome),
        "sample_items": list(cause.sample_items),
    }
    if cause.example is not None:
        found["example"] = _cut(cause.example, limit)
    return found


_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f]")


def _cut(text: str, limit: int) -> str:
    text = _UNPRINTABLE.sub(" ", text)
    return text if len(text) <= limit else text[: limit - 1] + "…"
