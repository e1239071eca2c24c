"""All causes of failure of a job."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from jobctl.domain.documents.failures import CauseCode, CauseMessage, FailedItems, OutcomeName
from jobctl.domain.documents.values import Count, Number, Time


class CauseSampleBlock(TypedDict):
    """An item that met a cause."""

    item: Number
    message: Annotated[str, "the message of its latest attempt with this cause, as the attempt wrote it"]


class ListedCauseBlock(TypedDict):
    """One cause of failure, with items in their own words."""

    cause: Annotated[str, "the word for --cause: the code, or code:number if several causes of the job have this code"]
    code: CauseCode
    message: CauseMessage
    items: FailedItems
    attempts: Annotated[Count, "attempts with this cause, all rounds"]
    retryable: bool
    outcome: OutcomeName
    first_at: Time
    last_at: Time
    samples: list[CauseSampleBlock]
    command: Annotated[str | None, "the command that lists the items; null if no item has failed with this cause now"]


class CausesDocument(TypedDict):
    """The causes of failure of a job, as ``jobctl causes JOB --json`` shows them."""

    schema: Literal["jobctl.causes/1"]
    job: Number
    name: str
    failed: Annotated[Count, "items that have failed"]
    causes: list[ListedCauseBlock]
    causes_total: Count
    ungrouped: Annotated[Count, "failed items without a cause that can be read"]
