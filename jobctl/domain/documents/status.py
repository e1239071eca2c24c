"""The status of one job, and the list of jobs."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from jobctl.domain.documents.daemon import DaemonBlock
from jobctl.domain.documents.failures import FailuresBlock, RetryBlock
from jobctl.domain.documents.keywords import Keywords
from jobctl.domain.documents.notify import NotifyBlock
from jobctl.domain.documents.policy import PolicyBlock
from jobctl.domain.documents.results import ResultsBlock
from jobctl.domain.documents.status_blocks import (
    AfterBlock,
    AttentionBlock,
    CallBlock,
    Counts,
    DurationsBlock,
    FollowsBlock,
    IdempotencyBlock,
    InputBlock,
    ProgressBlock,
    RunningBlock,
    ThroughputBlock,
    TimeBlock,
)
from jobctl.domain.documents.values import Count, JobStateName, Number, Time, Uid

HandlerName = Literal["command", "shell", "column", "call"]


class ProgressPart(TypedDict):
    """The keys of a status that count and measure."""

    counts: Counts
    progress: ProgressBlock
    time: TimeBlock


class StatusDocument(TypedDict):
    """One job, as ``jobctl status JOB --json`` says it."""

    schema: Literal["jobctl.status/1"]
    job: Number
    uid: Uid
    name: str
    queue: str
    priority: int
    labels: dict[str, str]
    state: JobStateName
    state_reason: Annotated[str, Keywords(minLength=1), "a sentence with figures"]
    done: Annotated[bool, "whether the state is terminal"]
    ok: Annotated[bool | None, "null until it is done"]
    round: Annotated[Number, "1, and one more for every retry"]
    revision: Annotated[Count, "counts up with every change"]
    attention: Annotated[list[AttentionBlock], "what somebody should look at, most pressing first"]
    counts: Counts
    progress: ProgressBlock
    time: TimeBlock
    failures: FailuresBlock
    retry: RetryBlock
    results: ResultsBlock
    input: InputBlock
    command: Annotated[
        list[str] | str,
        "argv template, the text for the shell, or the function as module:name; empty when rows bring their own",
    ]
    idempotency: IdempotencyBlock
    policy: Annotated[PolicyBlock, "what the submitter allowed; null = no such limit"]
    daemon: DaemonBlock
    notify: list[NotifyBlock]
    next: Annotated[list[str], "what to type now, most likely first"]
    handler: HandlerName
    cwd: str
    attempts: Annotated[Count, "finished ones, all rounds"]
    running: Annotated[list[RunningBlock], "a bounded number of them, oldest items first"]
    durations: Annotated[
        DurationsBlock,
        "how long attempts took; percentiles are right within 2.5 %, null before the first attempt ended",
    ]
    throughput: Annotated[
        ThroughputBlock | None,
        "items that got their outcome in each span of bucket_s seconds of the present round, from from_at to until_at,"
        " the last one may be shorter; null before any, and in lists of jobs",
    ]
    call: Annotated[CallBlock | None, "how a Python function is called; null for items that are processes"]
    after: Annotated[list[AfterBlock], "jobs that this one comes after"]
    item_key: Annotated[str | None, "the column that names a row"]
    follows: Annotated[
        list[FollowsBlock],
        "jobs that have rows of this one open; the rows are not items until those jobs have ended",
    ]


class StatusListDocument(TypedDict):
    """Several jobs, as ``jobctl status --json`` says them."""

    schema: Literal["jobctl.status_list/1"]
    at: Time
    daemon: DaemonBlock
    jobs: list[StatusDocument]
    jobs_total: Count
