"""The result files of a finished job: where they are, and handing them out."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from jobctl.config import Home
from jobctl.errors import NotFound
from jobctl.services.output.write_file import placed
from jobctl.services.submit.rejects import NAME as REJECTED
from jobctl.store.database import Database
from jobctl.store.views import jobs as job_views

KINDS = ("succeeded", "failed", "unprocessed")
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One of the three files, or the rows that were not accepted (of which no checksum is kept: it is empty)."""

    kind: str
    path: Path
    rows: int
    sha256: str


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
    return ResultFile("rejected", home.job_results(number) / REJECTED, job.rejected, "") if job.rejected else None


def chosen(files: Sequence[ResultFile], kinds: Sequence[str]) -> list[ResultFile]:
    """The files of these kinds, all if none is named."""
    return [file for file in files if not kinds or file.kind in kinds]


def copy_out(file: ResultFile, target: Path) -> None:
    """Copy a file to where the user wants it: whole or not at all, never over a directory."""
    with _reading(file) as source, placed(target) as copy:
        _pump(source, copy)


def stream_out(file: ResultFile, target: BinaryIO) -> None:
    """Copy a file to an open stream."""
    with _reading(file) as source:
        _pump(source, target)


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


def _pump(source: BinaryIO, target: BinaryIO) -> None:
    while data := source.read(CHUNK):
        target.write(data)
