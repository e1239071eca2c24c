"""A job in the format of another program."""

from __future__ import annotations

from typing import Literal, TypedDict

from jobctl.domain.documents.values import Count, Number, Seconds, Time


class JoblogRowBlock(TypedDict):
    """One line of a joblog of GNU parallel."""

    seq: Number
    host: str
    started_at: Time
    runtime_s: Seconds
    send: Count
    receive: Count
    exit_code: int
    signal: int
    command: str


class ExportHead(TypedDict):
    """A joblog without its lines, which are printed one by one."""

    schema: Literal["jobctl.export/1"]
    job: Number
    format: Literal["joblog"]


class ExportDocument(ExportHead):
    """The latest attempts of a job, as ``jobctl export JOB --json`` shows them."""

    rows: list[JoblogRowBlock]


class ExportFileDocument(TypedDict):
    """The file that ``jobctl export JOB --output FILE --json`` wrote."""

    schema: Literal["jobctl.export_file/1"]
    job: Number
    format: Literal["joblog"]
    path: str
    rows: Count
