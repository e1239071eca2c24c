"""Items and their latest attempt."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from jobctl.domain.documents.explain import LeftBehindBlock
from jobctl.domain.documents.status_blocks import ItemUndoBlock
from jobctl.domain.documents.values import Count, ItemStateName, Number, Seconds, Time


class ItemBlock(TypedDict):
    """One item; every key is present, null when there is nothing to say."""

    job: Number
    item: Number
    state: ItemStateName
    attempts: Count
    exit_code: int | None
    signal: Annotated[str | None, "the signal that ended the latest attempt"]
    code: Annotated[str | None, "the kind of failure of the latest attempt; null if it did not fail, or has not ended"]
    message: str | None
    due_at: Annotated[Time | None, "the time of the next attempt"]
    started_at: Time | None
    duration_s: Seconds | None
    cpu_s: Seconds | None
    max_rss_kib: Count | None
    slot: int | None
    host: Annotated[str | None, "the machine of the latest attempt; null for this one"]
    left_behind: Annotated[LeftBehindBlock | None, "processes that outlived the attempt and were ended"]
    result: Annotated[object, "the value that the function returned"]
    undo: NotRequired[Annotated[ItemUndoBlock | None, "the item of an undo job that takes back the item"]]
    row: Annotated[object, "an object by column names, the object of a JSON line, or the text of a line"]


class ItemsDocument(TypedDict):
    """Items of a job, as ``jobctl items JOB --json`` shows them."""

    schema: Literal["jobctl.items/1"]
    job: Number
    items: list[ItemBlock]
    next: Annotated[int | None, "give it to --after to see more; null at the end"]
