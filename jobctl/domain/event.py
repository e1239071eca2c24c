"""The documents of events. That of the end of a round is also the body of a notification: small, complete enough to
act on, the same bytes for every attempt of its delivery, and the same in every stream.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from jobctl.domain.durations import format_time, seconds
from jobctl.domain.endings import Ending
from jobctl.domain.event_types import ENGINE, event_type, sentence
from jobctl.domain.outcome import failure_code, has_succeeded, signal_of
from jobctl.domain.states import Counts, ItemState, JobState
from jobctl.domain.texts import shown
from jobctl.domain.wording import ended_sentence

if TYPE_CHECKING:
    from jobctl.domain.documents.event import (
        EventCauseBlock,
        EventDataBlock,
        EventDocument,
        EventName,
        EventOutcomeBlock,
    )
    from jobctl.domain.documents.failures import OutcomeName
    from jobctl.domain.documents.status_blocks import CountsBlock
    from jobctl.domain.documents.values import EndedJobState

SCHEMA: Final = "jobctl.event/1"
#: The specification of webhooks asks for less than 20 kB.
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


def end_type(state: JobState) -> str:
    """The type of the event that a job ended in a state: ``job.succeeded``, ``job.partial``..."""
    return f"job.{state.value}"


def event_body(ended: EndedJob, number: int) -> bytes:
    """The event with this id about the end of a round, as JSON of less than BODY_LIMIT bytes; texts may be cut."""
    for limit in _TEXT_LIMITS:
        body = encode(_end(ended, number, limit))
        if len(body) < BODY_LIMIT:
            return body
    return encode(_end(replace(ended, results=None, retry_command=None, causes=()), number, _TEXT_LIMITS[-1]))


def encode(document: EventDocument) -> bytes:
    """An event as JSON on one line."""
    # Bytes of a file name that are not UTF-8 come as lone surrogates, which JSON cannot carry.
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return shown(text, in_json=True).encode()


def _end(ended: EndedJob, number: int, limit: int) -> EventDocument:
    name, reason = end_type(ended.state), ended_sentence(ended.state, _cut(ended.reason, limit), ended.counts)
    data: EventDataBlock = {
        "id": ended.job,
        "uid": ended.uid,
        "name": _cut(ended.name, limit),
        "key": ended.key,
        "queue": _cut(ended.queue, limit),
        "state": cast("EndedJobState", ended.state.value),
        "state_reason": reason,
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
        "actor": ENGINE,
        "reason": reason,
        "message": sentence(name, ENGINE, reason, {}),
    }
    if ended.undo_of is not None or ended.undo_job is not None:
        data["undo"] = {"of": ended.undo_of, "job": ended.undo_job}
    return _envelope(number, name, ended.finished_at, data)


def _envelope(number: int, name: str, at: int, data: EventDataBlock) -> EventDocument:
    return {
        "schema": SCHEMA,
        "id": number,
        "type": cast("EventName", name),
        "timestamp": format_time(at),
        "data": data,
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


class EventOfJob(NamedTuple):
    """The job of an event; None in all fields for an event of the store or of a queue."""

    job: int | None = None
    uid: str | None = None
    name: str | None = None
    key: str | None = None
    queue: str | None = None


class NotedEvent(NamedTuple):
    """A line of the journal."""

    id: int
    at: int
    word: str
    actor: str
    reason: str
    item: int | None
    data: dict[str, Any]


class SettledOutcome(NamedTuple):
    """An outcome, with what is known about the attempt that led to it; ``ending`` None = nothing is."""

    id: int
    at: int
    item: int
    attempt: int
    state: ItemState
    round: int | None = None
    started_at: int | None = None
    ending: int | None = None
    code: int = 0
    duration_us: int | None = None
    flags: int = 0
    message: str | None = None
    host: str | None = None


def noted_event(of: EventOfJob, line: NotedEvent) -> EventDocument:
    """The event that is a line of the journal; details that would make it larger than BODY_LIMIT are left out."""
    name = event_type(line.word, line.reason, line.data)
    facts = {**line.data, "item": line.item, "word": line.word}
    for limit, details in ((_TEXT_LIMITS[0], line.data), (_TEXT_LIMITS[1], {})):
        reason = _cut(line.reason, limit)
        data: EventDataBlock = {
            **_of_job(of, limit),
            "actor": _cut(line.actor, limit),
            "reason": reason,
            "message": sentence(name, _cut(line.actor, limit), reason, facts),
            "details": details,
        }
        if line.item is not None:
            data["item"] = line.item
        if isinstance(number := line.data.get("round"), int):
            data["round"] = number
        document = _envelope(line.id, name, line.at, data)
        if not details or len(encode(document)) < BODY_LIMIT:
            break
    return document


def outcome_event(of: EventOfJob, settled: SettledOutcome) -> EventDocument:
    """The event that an item has this outcome."""
    name = _ITEM_TYPES[settled.state]
    block = _outcome(settled)
    reason = f"{block['code']}: {block['message']}" if block["code"] and block["message"] else block["code"] or ""
    data: EventDataBlock = {
        **_of_job(of, _TEXT_LIMITS[0]),
        "actor": ENGINE,
        "reason": reason,
        "message": sentence(name, ENGINE, reason, {"outcome": block}),
        "item": settled.item,
        "outcome": block,
    }
    if settled.round is not None:
        data["round"] = settled.round
    return _envelope(settled.id, name, settled.at, data)


#: An item that was interrupted is queued again.
_ITEM_TYPES = {
    ItemState.QUEUED: "item.retrying",
    ItemState.RUNNING: "item.retrying",
    ItemState.RETRYING: "item.retrying",
    ItemState.SUCCEEDED: "item.succeeded",
    ItemState.FAILED: "item.failed",
    ItemState.UNPROCESSED: "item.unprocessed",
}


def _of_job(of: EventOfJob, limit: int) -> EventDataBlock:
    name, queue = (None if text is None else _cut(text, limit) for text in (of.name, of.queue))
    return {"id": of.job, "uid": of.uid, "name": name, "key": of.key, "queue": queue}


def _outcome(settled: SettledOutcome) -> EventOutcomeBlock:
    ending, code = settled.ending, settled.code
    failed = None
    if ending is not None and not has_succeeded(ending, code):
        failed = failure_code(ending, code, settled.flags)
    message = None if settled.message is None or failed is None else _cut(settled.message, _TEXT_LIMITS[0])
    return {
        "state": settled.state.word,
        "attempt": settled.attempt,
        "code": failed,
        "message": message,
        "exit_code": code if ending == Ending.EXITED else None,
        "signal": signal_of(ending, code),
        "started_at": None if settled.started_at is None else format_time(settled.started_at),
        "duration_s": None if settled.duration_us is None else seconds(settled.duration_us),
        "host": settled.host,
    }
