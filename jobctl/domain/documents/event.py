"""The body of a notification."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from jobctl.domain.documents.failures import EXAMPLE, CauseCode, CauseMessage, FailedItems, OutcomeName
from jobctl.domain.documents.status_blocks import Counts
from jobctl.domain.documents.values import Count, EndedJobState, Number, Time, Uid

EventName = Literal["job.succeeded", "job.partial", "job.failed", "job.cancelled", "job.expired"]


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


class EventJobBlock(TypedDict):
    """The job whose round has ended."""

    id: Number
    uid: Uid
    name: str
    key: str | None
    queue: str
    state: EndedJobState
    state_reason: str
    round: Number
    counts: Counts
    time: EventTimeBlock
    failures: EventFailuresBlock
    retry: EventRetryBlock
    results: EventResultsBlock
    undo: NotRequired[Annotated[EventUndoBlock, "only of a job that takes rows back or has begun an undo"]]


class EventDocument(TypedDict):
    """The end of a round, as --notify and --on-done receive it"""

    type: EventName
    timestamp: Time
    data: EventJobBlock
