"""``jobctl results``: find the result files of a finished job, and copy or print one of them."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

from jobctl.config import Home
from jobctl.errors import NotFound, UsageError, no_such_job
from jobctl.services.control.targets import resolve_job
from jobctl.services.output.write_file import write_whole
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import jobs as job_views

if TYPE_CHECKING:
    from jobctl.domain.documents.results import KindName, ListedFileBlock, ResultsDocument

SCHEMA: Final = "jobctl.results/1"
#: The kinds of result files that every job has.
KINDS = ("succeeded", "failed", "unprocessed")
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One of the three result files, or the file of rejected rows, whose checksum is empty because none is kept."""

    kind: KindName
    path: Path
    rows: int
    sha256: str

    def document(self) -> ListedFileBlock:
        """Return the file as a part of ``jobctl.results/1``."""
        return {"kind": self.kind, "path": str(self.path), "rows": self.rows, "sha256": self.sha256 or None}


class Results(NamedTuple):
    """The result files of a job that a command names."""

    job: int
    files: list[ListedFile]

    def document(self) -> ResultsDocument:
        """Return ``jobctl.results/1``."""
        return {"schema": SCHEMA, "job": self.job, "files": [file.document() for file in self.files]}

    def one(self) -> ListedFile:
        """Return the only file. Raises UsageError if there are several."""
        if len(self.files) != 1:
            hint = "add --succeeded, --failed, --unprocessed or --rejected"
            raise UsageError("-o copies one file, and several are chosen", hint=hint)
        return self.files[0]

    def copied(self, path: str) -> ResultsDocument:
        """Copy the only file to a path; returns ``jobctl.results/1``. Raises UsageError, NotFound, HomeError."""
        copy_out(self.one(), Path(path))
        block = self.one().document()
        block["copied_to"] = os.path.abspath(path)
        return {"schema": SCHEMA, "job": self.job, "files": [block]}


def results_of(home: Home, text: str, kinds: Sequence[str], *, rejected: bool) -> Results:
    """Return the files of the job that a word names: of these kinds, of rejected rows, or all files without a choice.

    Raises NotFound while the job is not done, and for rejected rows of a job that has none.
    """
    with closing(open_database(home)) as database:
        number = resolve_job(database, text)
        not_accepted = rejected_file(database, home, number)
        if rejected and not_accepted is None:
            raise NotFound(f"every row of job {number} was accepted", hint=f"jobctl results {number}")
        files = chosen(result_files(database, number), kinds) if kinds or not rejected else []
    if not_accepted is not None and (rejected or not kinds):
        files.append(not_accepted)
    return Results(number, files)


def result_files(database: Database, number: int) -> list[ListedFile]:
    """Return the result files of a job. Raises NotFound while the job is not done."""
    job = job_views.job(database, number)
    if job is None:
        raise no_such_job(number)
    stored: dict[str, Any] = json.loads(job.results) if job.results and job.is_done else {}
    if not stored:
        raise NotFound(
            f"job {number} is {job.state}: result files are written when it is done",
            hint=f"jobctl wait {number}, or see what there is so far with: jobctl items {number}",
        )
    return [
        ListedFile(kind, Path(file["path"]), file["rows"], file["sha256"]) for kind, file in stored["files"].items()
    ]


def rejected_file(database: Database, home: Home, number: int) -> ListedFile | None:
    """Return the file of rejected rows, which exists from the submission on; None if there are none.

    Raises NotFound.
    """
    job = job_views.job(database, number)
    if job is None:
        raise no_such_job(number)
    return ListedFile("rejected", home.job_rejects(number), job.rejected, "") if job.rejected else None


def chosen(files: Sequence[ListedFile], kinds: Sequence[str]) -> list[ListedFile]:
    """Return the files of these kinds; without kinds, all files."""
    return [file for file in files if not kinds or file.kind in kinds]


def copy_out(file: ListedFile, target: Path) -> None:
    """Copy a result file to a path, completely or not at all.

    Raises NotFound, UsageError for a directory, HomeError.
    """
    with _reading(file) as source, write_whole(target) as copy:
        _copy_bytes(source, copy)


def stream_out(file: ListedFile, target: BinaryIO) -> None:
    """Copy a result file to an open stream. Raises NotFound, OSError."""
    with _reading(file) as source:
        _copy_bytes(source, target)


def lines_of(file: ListedFile) -> Iterator[str]:
    """Yield the lines of a result file as text, each with its line feed. Raises NotFound if the file was removed."""
    with _reading(file) as source:
        for line in source:
            yield line.decode("utf-8", "surrogateescape")


@contextlib.contextmanager
def _reading(file: ListedFile) -> Iterator[BinaryIO]:
    try:
        source = file.path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(f"{file.path} is gone: it was removed", hint="the rows are still there: jobctl items") from error
    with source:
        yield source


def _copy_bytes(source: BinaryIO, target: BinaryIO) -> None:
    while data := source.read(CHUNK):
        target.write(data)
