"""The status of one job, and the list of jobs."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

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
    UndoBlock,
)
from jobctl.domain.documents.values import Count, JobStateName, Number, Time, Uid

HandlerName = Literal["command", "shell", "column", "call"]


class StatePart(TypedDict):
    """The keys of a status that name the job and its state."""

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
    ok: Annotated[bool | None, "null until the job is done"]
    round: Annotated[Number, "1, and one more for every retry"]
    revision: Annotated[Count, "grows with every change"]


class ProgressPart(TypedDict):
    """The keys of a status that count and measure."""

    counts: Counts
    progress: ProgressBlock
    time: TimeBlock


class ExecutionPart(TypedDict):
    """The keys of a status about the attempts, and about other jobs for which the job waits."""

    handler: HandlerName
    cwd: str
    attempts: Annotated[Count, "attempts that have ended, all rounds"]
    running: Annotated[list[RunningBlock], "running items, oldest first; a bounded number of them"]
    durations: Annotated[
        DurationsBlock,
        "durations of attempts; percentiles are exact to 2.5 %, null before the first attempt has ended",
    ]
    throughput: Annotated[
        ThroughputBlock | None,
        "items that ended in each span of bucket_s seconds of the present round, from from_at to until_at; the last"
        " span may be shorter; null before the first item has ended, and in lists of jobs",
    ]
    call: Annotated[CallBlock | None, "the call of a Python function; null for items that are processes"]
    after: Annotated[list[AfterBlock], "jobs that this one comes after"]
    item_key: Annotated[str | None, "the column that names a row"]
    follows: Annotated[
        list[FollowsBlock],
        "jobs that have rows of this one; the rows are not items before those jobs have ended",
    ]


class JobLinksBlock(TypedDict):
    """The addresses that belong to a job."""

    self: str
    items: str
    causes: str
    explain: str
    events: str
    report: str
    results: Annotated[dict[str, str], "the result files that exist, by the kind of their rows"]


class StatusDocument(StatePart, ProgressPart, ExecutionPart):
    """One job, as ``jobctl status JOB --json`` shows it."""

    attention: Annotated[list[AttentionBlock], "notices for a person, the most pressing first"]
    failures: FailuresBlock
    retry: RetryBlock
    results: ResultsBlock
    input: InputBlock
    command: Annotated[
        list[str] | str,
        "argv template, text for the shell, or function as module:name; empty if rows have their own commands",
    ]
    idempotency: IdempotencyBlock
    policy: Annotated[PolicyBlock, "the rules of the submitter; null = no such limit"]
    daemon: DaemonBlock
    notify: list[NotifyBlock]
    next: Annotated[list[str], "commands to type now, the most likely first"]
    undo: NotRequired[Annotated[UndoBlock | None, "null for a job of which nothing can be or was taken back"]]
    links: NotRequired[Annotated[JobLinksBlock, "paths of the HTTP server; only its answers have them"]]


class MoreJobsBlock(TypedDict):
    """The jobs that a list leaves out."""

    jobs: Count
    command: Annotated[str, "the command that lists them, too"]


class StatusListDocument(TypedDict):
    """Several jobs, as ``jobctl status --json`` shows them."""

    schema: Literal["jobctl.status_list/1"]
    at: Time
    daemon: DaemonBlock
    jobs: list[StatusDocument]
    jobs_total: Annotated[Count, "all jobs of the store"]
    jobs_selected: NotRequired[Annotated[Count, "the jobs that meet the conditions; without any, jobs_total"]]
    more: NotRequired[Annotated[MoreJobsBlock | None, "null if the list has every job that meets the conditions"]]
