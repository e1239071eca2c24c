"""The parts of the status of a job."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from jobctl.domain.documents.keywords import Keywords
from jobctl.domain.documents.values import Count, ItemStateName, Number, Seconds, Sha256, Time

_CODES = [
    "daemon_down",
    "daemon_not_responding",
    "stalled",
    "failure_rate_high",
    "disk_low",
    "leftovers_running",
    "leftovers_ended",
    "cannot_end",
    "barred",
    "spawn_pressure",
    "cluster_away",
    "no_workers",
    "resources_missing",
    "retry_wait",
    "paused",
    "notify_dead",
    "clock_skew",
    "damaged",
]


class AttentionBlock(TypedDict):
    """One notice for a person."""

    code: Annotated[str, Keywords(examples=_CODES)]
    message: str
    action: Annotated[str, "the command to type"]


class CountsBlock(TypedDict):
    """Items by state."""

    total: Count
    queued: Count
    running: Count
    retrying: Count
    succeeded: Count
    failed: Count
    unprocessed: Count
    rejected: Count
    skipped: Count


Counts = Annotated[
    CountsBlock,
    "total = queued + running + retrying + succeeded + failed + unprocessed; rejected and skipped rows are not in it",
]


class ProgressBlock(TypedDict):
    """The progress of a job, and its expected end."""

    processed: Count
    fraction: Annotated[float, Keywords(minimum=0, maximum=1)]
    rate_per_s: Seconds | None
    eta_s: Annotated[float | None, "seconds to the expected end; null while it would be a guess"]
    eta_at: Time | None


class TimeBlock(TypedDict):
    """The times of a job."""

    submitted_at: Time
    started_at: Time | None
    updated_at: Time
    finished_at: Time | None
    deadline_at: Time | None
    active_s: Annotated[Seconds, "seconds without pauses, all rounds"]
    paused_s: Seconds
    not_before_at: Time | None


class SelectionBlock(TypedDict, total=False):
    """The options that chose rows."""

    select: str
    where: str
    sample: Number


FormatName = Literal["csv", "tsv", "jsonl", "lines"]


class InputBlock(TypedDict):
    """The file that the rows came from."""

    path: Annotated[str, "the path of the input; - is standard input"]
    format: FormatName
    columns: list[str]
    rows: Count
    not_selected: Annotated[Count, "rows that --select, --where or --sample did not choose; they count in rows"]
    selection: Annotated[SelectionBlock | None, "the options that chose rows; null = all rows"]
    bytes: Count
    sha256: Sha256
    fingerprint: Sha256
    resubmit_of: Annotated[str | None, "the uid of the job that the rows come from: its result file, or retry --as-new"]
    resubmit_of_job: Annotated[Number | None, "the number of that job; null when it was removed"]
    resubmitted_as: NotRequired[
        Annotated[list[Number], "the newest jobs that were made from rows of this one; empty in a list of jobs"]
    ]


class IdempotencyBlock(TypedDict):
    """The key of a submission."""

    key: str | None
    replayed: Annotated[bool, "true only in the answer to a submission that found the job by its key"]


class RunningBlock(TypedDict):
    """One item that runs."""

    item: Number
    attempt: Number
    slot: int | None
    started_at: Time
    elapsed_s: Seconds
    pid: Number | None
    row_text: Annotated[str, "the first 200 bytes of the row, on one line"]
    host: NotRequired[Annotated[str | None, "the machine of the item; null for this one"]]


class SlowestBlock(TypedDict):
    """One attempt that took long."""

    item: Number
    attempt: Number
    duration_s: Seconds


class DurationsBlock(TypedDict):
    """Durations of attempts."""

    attempts: Annotated[Count, "attempts that have ended, all rounds"]
    p50_s: Seconds | None
    p95_s: Seconds | None
    max_s: Seconds | None
    mean_s: Seconds | None
    slowest: Annotated[
        list[SlowestBlock],
        Keywords(maxItems=5),
        "the longest attempts, longest first",
    ]


class ThroughputBlock(TypedDict):
    """Items that ended, span by span."""

    round: Number
    from_at: Time
    until_at: Time
    bucket_s: Annotated[float, Keywords(exclusiveMinimum=0)]
    succeeded: Annotated[list[Count], Keywords(maxItems=240)]
    failed: Annotated[list[Count], Keywords(maxItems=240)]


class CallBlock(TypedDict):
    """The Python function that is called for each row."""

    target: Annotated[str, "module:function"]
    setup: Annotated[str | None, "module:function that each worker calls before its first row"]
    style: Annotated[Literal["kwargs", "dict"] | None, "the form of a row; null = the form that fits the function"]
    recycle: Annotated[Number | None, "calls after which a worker is replaced"]


class UndoFileBlock(TypedDict):
    """The file of the rows that were taken back."""

    path: str
    rows: Count
    sha256: Sha256


class UndoBlock(TypedDict):
    """The undo of a job: what can be taken back, and what was."""

    of: Annotated[Number | None, "the job whose rows this job takes back; null for a job that is not an undo job"]
    available: Annotated[bool, "whether the job keeps a way to take a row back"]
    on_failure: Annotated[bool, "whether its rows are taken back by itself when it ends without success"]
    command: Annotated[str | None, "the command that takes rows back now; null if there is nothing to take back"]
    jobs: Annotated[list[Number], "the undo jobs that have rows of it, oldest first"]
    undone: Annotated[Count, "rows that were taken back"]
    failed: Annotated[Count, "rows whose undo failed or never ran"]
    running: Annotated[Count, "rows that are being taken back"]
    left: Annotated[Count, "rows that wait to be taken back"]
    file: Annotated[UndoFileBlock | None, "null while no row was taken back"]


class ItemUndoBlock(TypedDict):
    """The item of an undo job that takes back an item."""

    job: Number
    item: Number
    state: ItemStateName


class ItemUndoOfBlock(TypedDict):
    """The item that an item of an undo job takes back."""

    job: Number
    item: Number


class AfterBlock(TypedDict):
    """A job that this one comes after."""

    job: Number
    condition: Literal["ok", "any"]
    state: Annotated[str | None, "null when that job was removed"]
    done: bool | None


class FollowsBlock(TypedDict):
    """A job that has rows of this one."""

    job: Number
    rows: Count
    state: Annotated[str | None, "null when that job was removed"]
    done: bool | None
