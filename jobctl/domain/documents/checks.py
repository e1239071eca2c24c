"""Findings: those of ``jobctl doctor`` about a store and its machine, those of ``jobctl verify`` about a job."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from jobctl.domain.documents.values import Count, JobStateName, Number, Time


class CheckBlock(TypedDict):
    """One check."""

    name: str
    level: Annotated[Literal["ok", "warn", "fail"], "warn: it works, but a person should look at it"]
    message: str
    action: Annotated[str | None, "the command to type"]
    details: list[str]
    repaired: Annotated[str | None, "the repair that --repair made"]


class DoctorDocument(TypedDict):
    """The checks of a store and its machine, as ``jobctl doctor --json`` shows them."""

    schema: Literal["jobctl.doctor/1"]
    ok: Annotated[bool, "whether no check fails"]
    home: str
    version: str
    checks: list[CheckBlock]


class RestoredDocument(TypedDict):
    """The copy of the database that ``jobctl doctor --restore --json`` put in its place."""

    schema: Literal["jobctl.restored/1"]
    copy: str
    made_at: Annotated[Time, "the time of the copy; everything after it is lost"]
    aside: Annotated[str | None, "the present path of the damaged file"]


class FindingBlock(TypedDict):
    """One fault."""

    code: str
    message: str
    file: str | None
    item: Number | None


class VerifyDocument(TypedDict):
    """The checks and the findings of ``jobctl verify JOB --json``."""

    schema: Literal["jobctl.verify/1"]
    job: Number
    state: JobStateName
    items: Count
    files: Count
    file_rows: Count
    checked: list[str]
    unchecked: list[str]
    findings: list[FindingBlock]
    findings_total: Count
    ok: bool
