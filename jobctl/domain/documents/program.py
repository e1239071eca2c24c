"""Documents about the program itself: version, help, manual, completion, and its processes in the foreground."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from jobctl.domain.documents.values import Count, Number


class VersionDocument(TypedDict):
    """The version, as ``jobctl --version --json`` shows it."""

    schema: Literal["jobctl.version/1"]
    version: str


class ArgumentBlock(TypedDict):
    """One argument of a command."""

    name: str
    help: str
    required: bool
    multiple: bool


class OptionBlock(TypedDict):
    """One option of a command."""

    names: list[str]
    value: Annotated[str | None, "the name of its value; null if it has none"]
    help: str
    group: str
    multiple: bool


class SubcommandBlock(TypedDict):
    """One command below another."""

    name: str
    summary: str


class HelpDocument(TypedDict):
    """The help of a command, as ``--help --json`` shows it."""

    schema: Literal["jobctl.help/1"]
    command: str
    summary: str
    usage: str
    arguments: list[ArgumentBlock]
    options: list[OptionBlock]
    commands: list[SubcommandBlock]
    text: str


class ManualPageBlock(TypedDict):
    """One page of the manual."""

    page: str
    section: str
    summary: str


class ManualPageDocument(ManualPageBlock):
    """A page of the manual, as ``jobctl man PAGE --json`` shows it."""

    schema: Literal["jobctl.man/1"]
    path: Annotated[str | None, "null inside an archive"]
    text: str


class ManualListDocument(TypedDict):
    """The pages of the manual, as ``jobctl man --list --json`` shows them."""

    schema: Literal["jobctl.man_list/1"]
    pages: list[ManualPageBlock]


class ManualPathDocument(TypedDict):
    """The folder of the manual, as ``jobctl man --path --json`` shows it."""

    schema: Literal["jobctl.man_path/1"]
    path: str


class CompletionDocument(TypedDict):
    """The completion of a shell, as ``jobctl completion SHELL --json`` shows it."""

    schema: Literal["jobctl.completion/1"]
    shell: str
    file: str
    install: str
    script: str


class WorkerDocument(TypedDict):
    """The end of ``jobctl worker --json``."""

    schema: Literal["jobctl.worker/1"]
    slots: Count
    resources: dict[str, float]
    exit_code: int


class DaemonRunDocument(TypedDict):
    """The start of ``jobctl daemon run --json``."""

    schema: Literal["jobctl.daemon_run/1"]
    pid: Number
    home: str
    slots: Count | None
    drain: bool
