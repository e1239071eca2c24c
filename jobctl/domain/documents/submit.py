"""The effect that a submission would have."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from jobctl.domain.documents.values import Count, Number


class PreviewFollowsBlock(TypedDict):
    """Another job that has rows of this input."""

    job: Number
    rows: Count


class PreviewDocument(TypedDict):
    """The effect of a submission, as ``jobctl submit --dry-run --json`` shows it."""

    schema: Literal["jobctl.preview/1"]
    format: str
    columns: list[str]
    first: Annotated[list[list[str]], "the first rows"]
    rows: Count
    rejected: Count
    not_selected: Count
    skipped: Count
    follows: list[PreviewFollowsBlock]
    replay_of: Annotated[Number | None, "the job with the same key and the same work"]
    notices: list[str]
    problems: list[str]
    commands: Annotated[list[list[str]], "the commands of the first rows"]
