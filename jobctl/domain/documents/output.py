"""The output of items, as ``jobctl logs --json`` shows it."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from jobctl.domain.documents.values import Number

StreamName = Literal["stdout", "stderr"]
Text = Annotated[str | None, "null if the output cannot be read here"]


class OutputDocument(TypedDict):
    """The output of one attempt, as ``jobctl logs JOB.ITEM --json`` shows it."""

    schema: Literal["jobctl.output/1"]
    job: Number
    item: Number | None
    attempt: Annotated[Number | None, "null for an item that has not run"]
    running: bool
    cut: Annotated[bool, "whether --output-cap cut the output"]
    stdout: NotRequired[Text]
    stderr: NotRequired[Text]


class LogsHead(TypedDict):
    """The same without the outputs, which are printed one by one."""

    schema: Literal["jobctl.logs/1"]


class LogsDocument(LogsHead):
    """The output of several items, as ``jobctl logs JOB --json`` shows it."""

    outputs: list[OutputDocument]


class OutputPieceDocument(TypedDict):
    """A piece of output, one document on each line of ``jobctl logs --follow --json``."""

    schema: Literal["jobctl.output_piece/1"]
    job: Number
    item: Number
    attempt: Number
    stream: Annotated[StreamName | None, "null at the end of the attempt"]
    text: str | None
    over: Annotated[bool, "whether the attempt has ended"]
