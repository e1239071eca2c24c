"""``/v1/jobs/42/results``: the result files of a job."""

from __future__ import annotations

import os
from email.utils import formatdate
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from jobctl.domain.documents.results import ResultsDocument
from jobctl.domain.selection import Selection
from jobctl.errors import NotFound
from jobctl.http.access import Caller, Reader, job_of
from jobctl.http.answers import answer
from jobctl.http.files import FilePart, answer_file, open_part
from jobctl.http.parameters import JobPath
from jobctl.http.server import Server, server_of
from jobctl.services.output.results import ListedFile, rejected_file, result_files, results_of

router = APIRouter(prefix="/v1/jobs/{job}/results")
_MEDIA_TYPES = {".csv": "text/csv", ".tsv": "text/tab-separated-values", ".jsonl": "application/jsonl"}
_HEADERS = {"X-Content-Type-Options": "nosniff"}


@router.get("")
async def list_results(request: Request, job: JobPath, found: Reader) -> Response:
    """The result files of a job, each with its rows and its checksum. They exist when the job is done."""
    server = server_of(request)
    return answer(request, await server.call(_list, server, found, job))


def _list(server: Server, found: Caller, text: str) -> ResultsDocument:
    with server.database() as database:
        job = job_of(database, found, text)
    return results_of(server.home, str(job), Selection(), rejected=False, now=server.now()).document()


@router.get("/{file}", response_class=Response)
async def show_results(
    request: Request,
    job: JobPath,
    file: Annotated[
        str,
        Path(
            description="The kind of the rows, with the suffix of the file: failed.csv.",
            pattern=r"^(succeeded|failed|unprocessed|rejected|undone)(\.[a-z0-9]{1,10})?$",
            examples=["failed.csv"],
        ),
    ],
    found: Reader,
) -> Response:
    """One result file: the rows of the input as they were, then what became of them."""
    server = server_of(request)
    part, listed, modified_s = await server.call(_open, server, found, job, file)
    headers = {
        **_HEADERS,
        "Content-Disposition": f'attachment; filename="{listed.path.name}"',
        "Last-Modified": formatdate(modified_s, usegmt=True),
    }
    return answer_file(request, part, headers, _MEDIA_TYPES.get(listed.path.suffix, "text/plain"))


def _open(server: Server, found: Caller, text: str, name: str) -> tuple[FilePart, ListedFile, float]:
    with server.database() as database:
        job = job_of(database, found, text)
        kind = name.partition(".")[0]
        if kind == "rejected":
            one = rejected_file(database, server.home, job)
            files = [] if one is None else [one]
        else:
            files = [each for each in result_files(database, job) if each.kind == kind]
    listed = next((each for each in files if name in (each.kind, f"{each.kind}{each.path.suffix}")), None)
    if listed is None:
        raise NotFound(f"job {job} has no file {name}", hint=f"jobctl results {job}")
    return _part(listed)


def _part(listed: ListedFile) -> tuple[FilePart, ListedFile, float]:
    try:
        descriptor, length = open_part(FilePath(listed.path))
    except FileNotFoundError:
        raise NotFound(f"{listed.path.name} is gone: it was removed", hint="the rows are still there: items") from None
    modified_s = os.fstat(descriptor).st_mtime
    etag = f'"{listed.sha256}"' if listed.sha256 else f'"{listed.kind}-{os.fstat(descriptor).st_mtime_ns}-{length}"'
    return FilePart(descriptor, 0, length, etag), listed, modified_s
