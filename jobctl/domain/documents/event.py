"""Events, as streams and notifications carry them."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from jobctl.domain.documents.failures import EXAMPLE, CauseCode, CauseMessage, FailedItems, OutcomeName
from jobctl.domain.documents.status_blocks import Counts
from jobctl.domain.documents.values import Count, EndedJobState, ItemStateName, Number, Seconds, Time, Uid

EventName = Literal[
    "job.succeeded",
    "job.partial",
    "job.failed",
    "job.cancelled",
    "job.expired",
    "job.submitted",
    "job.held",
    "job.started",
    "job.queued",
    "job.paused",
    "job.resumed",
    "job.cancel_requested",
    "job.cancelling",
    "job.stopping",
    "job.retried",
    "job.rules_changed",
    "job.undo",
    "job.recovered",
    "job.rows_decided",
    "job.failures",
    "job.noted",
    "item.cancelled",
    "item.succeeded",
    "item.failed",
    "item.retrying",
    "item.unprocessed",
    "delivery.delivered",
    "delivery.dead",
    "delivery.disabled",
    "delivery.resent",
    "queue.paused",
    "queue.resumed",
    "queue.set",
    "store.restored",
]


class EventTimeBlock(TypedDict):
    """The times of the job."""

    submitted_at: Time
    started_at: Time | None
    finished_at: Time


class EventCauseBlock(TypedDict):
    """One cause of failure."""

    code: CauseCode
    message: CauseMessage
    count: FailedItems
    retryable: bool
    outcome: OutcomeName
    sample_items: list[Number]
    example: NotRequired[Annotated[str, EXAMPLE]]


class EventFailuresBlock(TypedDict):
    """The causes of failure that most items have."""

    groups: list[EventCauseBlock]


class EventRetryBlock(TypedDict):
    """Whether the job can be retried, and how."""

    available: bool
    items: Count
    command: str | None


class EventResultsBlock(TypedDict):
    """The folder of the result files."""

    dir: str | None


class EventUndoBlock(TypedDict):
    """The undo that a job is, or that it has begun."""

    of: Annotated[Number | None, "the job whose rows this one has taken back"]
    job: Annotated[Number | None, "the job that takes its rows back by itself"]


class EventOutcomeBlock(TypedDict):
    """The outcome of an item, and the attempt that led to it."""

    state: Annotated[ItemStateName, "queued or retrying: it runs again in this round"]
    attempt: Annotated[Count, "0: the item never ran"]
    code: Annotated[str | None, "the kind of failure; null if the attempt did not fail"]
    message: str | None
    exit_code: int | None
    signal: Annotated[str | None, "the signal that ended the attempt"]
    started_at: Time | None
    duration_s: Seconds | None
    host: Annotated[str | None, "the machine of the attempt; null for this one"]


class EventDataBlock(TypedDict):
    """What an event is about: the job, and what happened to it."""

    id: Annotated[Number | None, "the job; null for an event of a queue or of the store"]
    uid: Uid | None
    name: str | None
    key: str | None
    queue: str | None
    actor: NotRequired[Annotated[str, "who did it: a user, token NAME, or engine"]]
    reason: NotRequired[Annotated[str, "why; empty if nobody has said so"]]
    message: NotRequired[Annotated[str, "what happened, in words"]]
    round: NotRequired[Number]
    item: NotRequired[Annotated[Number, "the item, of events about one item"]]
    outcome: NotRequired[Annotated[EventOutcomeBlock, "of the outcome of an item"]]
    details: NotRequired[Annotated[dict[str, object], "what the journal keeps about the event"]]
    state: NotRequired[Annotated[EndedJobState, "this key and the following ones: of the end of a round"]]
    state_reason: NotRequired[str]
    counts: NotRequired[Counts]
    time: NotRequired[EventTimeBlock]
    failures: NotRequired[EventFailuresBlock]
    retry: NotRequired[EventRetryBlock]
    results: NotRequired[EventResultsBlock]
    undo: NotRequired[Annotated[EventUndoBlock, "only of a job that takes rows back or has begun an undo"]]


class EventDocument(TypedDict):
    """Something that happened, as ``jobctl events`` and the streams show it, and --notify and --on-done receive it"""

    schema: NotRequired[Literal["jobctl.event/1"]]
    id: NotRequired[Annotated[Number, "ids never go back; older releases sent notifications without one"]]
    type: EventName
    timestamp: Time
    data: EventDataBlock
