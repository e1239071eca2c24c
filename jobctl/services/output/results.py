"""The result files of a finished job: where they are, and handing them out."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

from jobctl.config import Home
from jobctl.errors import NotFound, UsageError
from jobctl.services.control.targets import resolve_job
from jobctl.services.output.write_file import write_whole
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import jobs as job_views

if TYPE_CHECKING:
    from jobctl.domain.documents.results import KindName, ListedFileBlock, ResultsDocument

SCHEMA: Final = "jobctl.results/1"
KINDS = ("succeeded", "failed", "unprocessed")
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One of the three files, or the rows that were not accepted (of which no checksum is kept: it is empty)."""

    kind: KindName
    path: Path
    rows: int
    sha256: str

    def document(self) -> ListedFileBlock:
        """As part of ``jobctl.results/1``."""
        return {"kind": self.kind, "path": str(self.path), "rows": self.rows, "sha256": self.sha256 or None}


class Results(NamedTuple):
    """The result files of a job that a command names."""

    job: int
    files: list[ResultFile]

    def document(self) -> ResultsDocument:
        """``jobctl.results/1``."""
        return {"schema": SCHEMA, "job": self.job, "files": [file.document() for file in self.files]}

    def one(self) -> ResultFile:
        """The only one. Raises UsageError if there are more."""
        if len(self.files) != 1:
            hint = "add --succeeded, --failed, --unprocessed or --rejected"
            raise UsageError("-o needs to know which file", hint=hint)
        return self.files[0]

    def copied(self, path: str) -> ResultsDocument:
        """Copy the only file; returns ``jobctl.results/1``. Raises UsageError, NotFound, HomeError."""
        copy_out(self.one(), Path(path))
        block = self.one().document()
        block["copied_to"] = os.path.abspath(path)
        return {"schema": SCHEMA, "job": self.job, "files": [block]}


def results_of(home: Home, text: str, kinds: Sequence[str], *, rejected: bool) -> Results:
    """The files of the job that a word names: of these kinds, of rejected rows, or of all if nothing is asked for.

    Raises NotFound while the job runs, and if rejected rows are asked for and there are none.
    """
    database = open_database(home)
    try:
        number = resolve_job(database, text)
        not_accepted = rejected_file(database, home, number)
        if rejected and not_accepted is None:
            raise NotFound(f"every row of job {number} was accepted", hint=f"jobctl results {number}")
        files = chosen(result_files(database, number), kinds) if kinds or not rejected else []
    finally:
        database.close()
    if not_accepted is not None and (rejected or not kinds):
        files.append(not_accepted)
    return Results(number, files)


def result_files(database: Database, number: int) -> list[ResultFile]:
    """The files of a job. Raises NotFound while it runs, saying how to wait for them."""
    job = job_views.job(database, number)
    if job is None:
        raise NotFound(f"there is no job {number}", hint="jobctl status --all lists every job")
    stored: dict[str, Any] = json.loads(job.results) if job.results and job.is_done else {}
    if not stored:
        raise NotFound(
            f"job {number} is {job.state}: result files are written when it is done",
            hint=f"jobctl wait {number}, or see what there is so far with: jobctl items {number}",
        )
    return [
        ResultFile(kind, Path(file["path"]), file["rows"], file["sha256"]) for kind, file in stored["files"].items()
    ]


def rejected_file(database: Database, home: Home, number: int) -> ResultFile | None:
    """The rows of a job's input that were not accepted, there from the beginning; None if all were. Raises NotFound."""
    job = job_views.job(database, number)
    if job is None:
        raise NotFound(f"there is no job {number}", hint="jobctl status --all lists every job")
    return ResultFile("rejected", home.job_rejects(number), job.rejected, "") if job.rejected else None


def chosen(files: Sequence[ResultFile], kinds: Sequence[str]) -> list[ResultFile]:
    """The files of these kinds, all if none is named."""
    return [file for file in files if not kinds or file.kind in kinds]


def copy_out(file: ResultFile, target: Path) -> None:
    """Copy a file to where the user wants it: whole or not at all, never over a directory."""
    with _reading(file) as source, write_whole(target) as copy:
        _copy_bytes(source, copy)


def stream_out(file: ResultFile, target: BinaryIO) -> None:
    """Copy a file to an open stream."""
    with _reading(file) as source:
        _copy_bytes(source, target)


def lines_of(file: ResultFile) -> Iterator[str]:
    """The lines of a file as text, each with its line feed. Raises NotFound when it is gone."""
    with _reading(file) as source:
        for line in source:
            yield line.decode("utf-8", "surrogateescape")


@contextlib.contextmanager
def _reading(file: ResultFile) -> Iterator[BinaryIO]:
    try:
        source = file.path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(f"{file.path} is gone: it was removed", hint="the rows are still there: jobctl items") from error
    with source:
        yield source


def _copy_bytes(source: BinaryIO, target: BinaryIO) -> None:
    while data := source.read(CHUNK):
        target.write(data)
