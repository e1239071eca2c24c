"""Result files: in the status of a job, in their manifest, and as ``jobctl results`` lists them."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from jobctl.domain.documents.values import Count, Number, Sha256, Time, Uid


class ResultFileBlock(TypedDict):
    """One result file; path and hash are null before it is written."""

    path: str | None
    rows: Count
    sha256: Sha256 | None


class ResultFilesBlock(TypedDict):
    """The three result files of a round."""

    succeeded: ResultFileBlock
    failed: ResultFileBlock
    unprocessed: ResultFileBlock


class RejectedBlock(TypedDict):
    """The file of the rows that were not accepted."""

    path: str
    rows: Number


class ResultsBlock(TypedDict):
    """The results of a job."""

    available: bool
    dir: str
    manifest: str | None
    purge_at: Time | None
    files: ResultFilesBlock
    rejected: Annotated[RejectedBlock | None, "the file of the rejected rows and of the reasons"]


class ManifestInputBlock(TypedDict):
    """The input of a job."""

    path: str
    sha256: Sha256


class ManifestFileBlock(TypedDict):
    """One result file, which is in the folder of the manifest."""

    name: str
    rows: Count
    sha256: Sha256


class ManifestFilesBlock(TypedDict):
    """The three result files of a round."""

    succeeded: ManifestFileBlock
    failed: ManifestFileBlock
    unprocessed: ManifestFileBlock


class ManifestDocument(TypedDict):
    """manifest.json in the folder of the result files"""

    schema: Literal["jobctl.manifest/1"]
    job: Number
    uid: Uid
    round: Number
    input: ManifestInputBlock
    fingerprint: Sha256
    rows: Count
    files: ManifestFilesBlock
    written_by: str


KindName = Literal["succeeded", "failed", "unprocessed", "rejected", "undone"]


class ListedFileBlock(TypedDict):
    """One result file, as ``jobctl results`` lists it."""

    kind: KindName
    path: str
    rows: Count
    sha256: Sha256 | None
    copied_to: NotRequired[Annotated[str, "the copy that --output wrote"]]


class ResultsDocument(TypedDict):
    """The result files of a job, as ``jobctl results JOB --json`` shows them."""

    schema: Literal["jobctl.results/1"]
    job: Number
    files: list[ListedFileBlock]
    lines: NotRequired[Annotated[list[str], "the lines of the file, with --output -"]]
