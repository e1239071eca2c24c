"""``/v1/jobs``: the status of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from jobctl.http.access import Caller, Reader, job_of
from jobctl.http.answers import answer
from jobctl.http.server import Server, server_of
from jobctl.services.status.document import job_document

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument

router = APIRouter(prefix="/v1")

#: A job in a path: a number, a name, or ``last``.
JobPath = Annotated[
    str, Path(description="The job: its number, its name, or last.", min_length=1, max_length=200, examples=["42"])
]


@router.get("/jobs/{job}")
async def show_job(request: Request, job: JobPath, found: Reader) -> Response:
    """The status of a job."""
    server = server_of(request)
    return answer(request, await server.call(_status, server, found, job))


def _status(server: Server, found: Caller, text: str) -> StatusDocument:
    with server.database() as database:
        job = job_of(database, found, text)
        return job_document(database, server.home, job, server.now(), program=server.program)
