"""The answers of the commands that act on jobs: cancel, retry, pause, resume, set, prune, notify resend."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from jobctl.domain.documents.policy import PolicyBlock
from jobctl.domain.documents.values import Count, JobStateName, Number, Seconds, Time


class CancelledItemsBlock(TypedDict):
    """The items of a job that were cancelled together, by their states now."""

    selected: Annotated[Count, "how many were cancelled"]
    queued: Count
    running: Count
    retrying: Count
    succeeded: Count
    failed: Count
    unprocessed: Count


class CancelledBlock(TypedDict):
    """The result for one job, for one item, or for selected items of a job."""

    job: Number
    item: Number | None
    state: str
    cancelled: Annotated[bool, "false when it had ended before"]
    note: str
    items: NotRequired[Annotated[CancelledItemsBlock, "of a selection of items: then the job itself continues"]]


class CancelDocument(TypedDict):
    """The jobs and items of ``jobctl cancel --json``."""

    schema: Literal["jobctl.cancel/1"]
    cancelled: list[CancelledBlock]


class RetriedBlock(TypedDict):
    """The new round of one job."""

    job: Number
    round: Number
    items: Annotated[Count, "the items that run again"]
    left_out: Annotated[Count, "failed items with an unknown outcome that do not run again"]
    policy: NotRequired[Annotated[PolicyBlock, "the rules of the new round"]]


class RetryDocument(TypedDict):
    """The new rounds of ``jobctl retry --json``."""

    schema: Literal["jobctl.retry/1"]
    retried: list[RetriedBlock]


class UndoDocument(TypedDict):
    """The undo job that ``jobctl undo --json`` made."""

    schema: Literal["jobctl.undo/1"]
    job: Annotated[Number, "the undo job"]
    undo_of: Annotated[Number, "the job whose rows it takes back"]
    items: Annotated[Count, "the rows that it takes back"]
    unknown: Annotated[Count, "rows that were left out because their outcome is not known"]
    undone: Annotated[Count, "rows that were taken back before"]
    running: Annotated[Count, "rows that other undo jobs are taking back"]


class PausedJobBlock(TypedDict):
    """The result for one job."""

    job: Number
    changed: bool
    note: str


class PausedQueueBlock(TypedDict):
    """The result for a queue."""

    name: str
    changed: bool
    note: str


class PauseDocument(TypedDict):
    """The jobs or the queue of ``jobctl pause --json``."""

    schema: Literal["jobctl.pause/1"]
    jobs: list[PausedJobBlock]
    queue: PausedQueueBlock | None


class ResumeDocument(TypedDict):
    """The jobs or the queue of ``jobctl resume --json``."""

    schema: Literal["jobctl.resume/1"]
    jobs: list[PausedJobBlock]
    queue: PausedQueueBlock | None


class SetDocument(TypedDict):
    """The rules of a job after ``jobctl set --json``."""

    schema: Literal["jobctl.set/1"]
    job: Number
    policy: PolicyBlock


class PrunedJobBlock(TypedDict):
    """A job that was removed, or would be."""

    job: Number
    name: str
    state: JobStateName
    finished_at: Time
    items: Count
    file_bytes: Count


class KeptJobBlock(TypedDict):
    """A job that is old enough and stays."""

    job: Number
    name: str
    state: JobStateName
    why: str


class PruneDocument(TypedDict):
    """The jobs that ``jobctl prune --json`` removed, or would remove."""

    schema: Literal["jobctl.prune/1"]
    dry_run: bool
    older_than_s: Seconds
    jobs: list[PrunedJobBlock]
    kept: list[KeptJobBlock]
    finished: Annotated[list[Number], "jobs that an earlier run had begun to remove"]
    rows: Count
    file_bytes: Count
    database_bytes: int
    set_aside: Annotated[list[str], "files of damaged or removed databases, which stay"]


class ResentDocument(TypedDict):
    """The delivery that ``jobctl notify resend --json`` begins again."""

    schema: Literal["jobctl.resent/1"]
    delivery: str
    job: Number
    target: str
    was: str
    daemon: Annotated[int | None, "the process that sends it; null when no daemon is running"]
