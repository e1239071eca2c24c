"""The values of a report about a job."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from jobctl.domain.documents.items import ItemBlock
from jobctl.domain.documents.status import StatusDocument
from jobctl.domain.documents.values import Count, Number, Seconds, Time

BarStateName = Literal["running", "succeeded", "failed"]


class BinBlock(TypedDict):
    """One span of the histogram of durations."""

    from_s: Seconds
    below_s: Seconds
    attempts: Count


class BarBlock(TypedDict):
    """One attempt on the time line."""

    item: Number
    attempt: Number
    slot: int
    start_s: float
    duration_s: Seconds
    state: BarStateName


class TimelineBlock(TypedDict):
    """Attempts of a round by slot and time."""

    round: Number
    every_nth_item: Number
    from_at: Time
    bars: list[BarBlock]


class ReportDocument(TypedDict):
    """The values of a report about a job."""

    schema: Literal["jobctl.report/1"]
    at: Time
    status: StatusDocument
    histogram: list[BinBlock]
    timeline: TimelineBlock
    samples: Annotated[list[list[ItemBlock]], "for each cause of failure, some of its items"]


class ReportFileDocument(TypedDict):
    """The file that ``jobctl report JOB --json`` wrote."""

    schema: Literal["jobctl.report_file/1"]
    job: Number
    path: Annotated[str | None, "null when the page is in this document"]
    bytes: Count
    html: NotRequired[Annotated[str, "the page, with --output -"]]
