"""The explanation of the state of a job or an item."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from jobctl.domain.documents.failures import FailuresBlock, RetryBlock
from jobctl.domain.documents.policy import PolicyBlock, RuleBlock
from jobctl.domain.documents.status_blocks import AttentionBlock, ItemUndoBlock, ItemUndoOfBlock, UndoBlock
from jobctl.domain.documents.values import Count, ItemStateName, JobStateName, Number, Seconds, Time


class LeftBehindBlock(TypedDict, total=False):
    """Processes that outlived an attempt."""

    processes: Number
    names: str


class AttemptBlock(TypedDict):
    """One attempt of an item."""

    attempt: Number
    round: Number
    slot: int
    started_at: Time
    duration_s: Seconds | None
    outcome: Annotated[str | None, "null while the attempt is running"]
    message: str | None
    host: NotRequired[Annotated[str | None, "the machine of the attempt; null for this one"]]
    left_behind: NotRequired[Annotated[LeftBehindBlock | None, "processes that outlived the attempt and were ended"]]


class HoldBlock(TypedDict):
    """One reason why items do not start."""

    code: str
    message: str
    action: Annotated[str | None, "the command to type"]


class JournalBlock(TypedDict):
    """One line of the journal of a job."""

    at: Time
    item: Number | None
    actor: str
    event: str
    reason: str
    data: dict[str, object]


class ChangeBlock(RuleBlock):
    """A change of a rule, with its time."""

    at: Time


class RoundBlock(TypedDict):
    """One round of a job, with its rules."""

    round: Number
    began_at: Time
    actor: Annotated[str, "the user who submitted the job, or who began the round"]
    items: Annotated[Count | None, "the items that were queued again; null for the first round"]
    policy: Annotated[
        PolicyBlock | None, "the rules when the round began; null if an older version changed them without a note"
    ]
    changes: Annotated[list[ChangeBlock], "the rules that differ from those before, oldest first"]


class ItemPart(TypedDict):
    """The keys of an explanation whose values are about the item."""

    item_state: ItemStateName
    item_reason: str
    attempts: list[AttemptBlock]
    holds: list[HoldBlock]
    next: list[str]
    item_undo: NotRequired[ItemUndoBlock | None]
    item_undo_of: NotRequired[ItemUndoOfBlock | None]


class ExplainDocument(TypedDict):
    """Why a job or an item is in its state, as ``jobctl explain --json`` shows it."""

    schema: Literal["jobctl.explain/1"]
    job: Number
    name: str
    item: Number | None
    state: JobStateName
    state_reason: str
    item_state: ItemStateName | None
    item_reason: str | None
    attempts: list[AttemptBlock]
    resubmit_of: str | None
    resubmit_of_job: Number | None
    failures: FailuresBlock
    retry: RetryBlock
    holds: Annotated[list[HoldBlock], "the reasons why waiting items do not start now"]
    attention: list[AttentionBlock]
    rounds: NotRequired[Annotated[list[RoundBlock], "the latest rounds, oldest first; empty for an item"]]
    undo: NotRequired[Annotated[UndoBlock | None, "null for a job of which nothing can be or was taken back"]]
    item_undo: NotRequired[Annotated[ItemUndoBlock | None, "the item of an undo job that takes back the item"]]
    item_undo_of: NotRequired[Annotated[ItemUndoOfBlock | None, "the item that this item of an undo job takes back"]]
    journal: Annotated[list[JournalBlock], "the latest lines, oldest first"]
    journal_total: Count
    next: list[str]
