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
    "the kind of failure",
]
OutcomeName = Annotated[Literal["known", "unknown"], "unknown: a side effect may have happened"]
CauseMessage = Annotated[str, "the last message of the attempts, with numbers, paths and the like replaced"]
FailedItems = Annotated[Count, "items that have failed with this cause"]
EXAMPLE = "a message of an item, if this message is masked"


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
    attempts: Annotated[Count, "attempts with this cause, all rounds"]
    example: NotRequired[Annotated[str | None, EXAMPLE]]


class FailuresBlock(TypedDict):
    """The causes of failure of a job."""

    groups: Annotated[list[CauseBlock], "the causes with most items first"]
    groups_total: Count
    ungrouped: Annotated[Count, "failed items with further causes"]
    command: NotRequired[Annotated[str | None, "the command that shows all causes; null if there are none"]]


class RetryBlock(TypedDict):
    """Whether a job can be retried, and how."""

    available: bool
    why_not: str | None
    items: Annotated[Count, "the items that the command would run again"]
    failed_retryable: Count
    failed_permanent: Count
    outcome_unknown: Count
    unprocessed: Count
    command: Annotated[str | None, "the command for a shell; it has the rules without which the items would fail again"]
    note: NotRequired[Annotated[str | None, "the difference to the round before, or what to do first"]]
    less_others: NotRequired[
        Annotated[bool, "whether the command leaves out items whose rows another job of this name has or has done"]
    ]
