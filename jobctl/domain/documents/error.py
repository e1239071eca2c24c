"""The document that a command prints with ``--json`` when it fails."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict


class ErrorBlock(TypedDict):
    """The error."""

    code: Annotated[str, "the kind of error, for programs"]
    message: str
    hint: Annotated[str | None, "the command to type, or another advice"]
    details: list[str]


class ErrorDocument(TypedDict):
    """An error, as every command shows it with ``--json``."""

    schema: Literal["jobctl.error/1"]
    error: ErrorBlock
    exit_code: int
