"""Causes of failure, and the retry that they allow."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from jobctl.domain.documents.keywords import Keywords
from jobctl.domain.documents.values import Count, Number, Time

CauseCode = Annotated[
    str,
    Keywords(
        examples=[
            "exit_22",
            "disk_full",
            "sigsegv",
            "timeout",
            "cancelled",
            "interrupted",
            "not_started",
            "raised",
        ]
    ),
    "how the attempts ended",
]
OutcomeName = Annotated[Literal["known", "unknown"], "unknown: a side effect may have happened"]
CauseMessage = Annotated[str, "their last words; numbers, paths and the like replaced"]
FailedItems = Annotated[Count, "items that are failed because of it now"]
EXAMPLE = "a message as an item said it, if something is masked in this one"


class CauseBlock(TypedDict):
    """One cause of failure."""

    code: CauseCode
    message: CauseMessage
    count: FailedItems
    retryable: bool
    outcome: OutcomeName
    sample_items: list[Number]
    first_at: Time
    last_at: Time
    attempts: Annotated[Count, "that ended so, all rounds"]
    example: NotRequired[Annotated[str | None, EXAMPLE]]


class FailuresBlock(TypedDict):
    """The causes of failure of a job."""

    groups: Annotated[list[CauseBlock], "most items first"]
    groups_total: Count
    ungrouped: Annotated[Count, "failed items of further causes"]


class RetryBlock(TypedDict):
    """Whether a job can be retried, and how."""

    available: bool
    why_not: str | None
    items: Annotated[Count, "that the command would run again"]
    failed_retryable: Count
    failed_permanent: Count
    outcome_unknown: Count
    unprocessed: Count
    command: Annotated[str | None, "can be pasted into a shell"]
    less_others: NotRequired[
        Annotated[bool, "the command leaves out items whose rows another job of the name has or has done"]
    ]
