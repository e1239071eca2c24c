"""``/v1/jobs/42/items/17/logs/stdout``: the output of an item, byte for byte."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from jobctl.errors import NotFound
from jobctl.http.access import Caller, Reader, job_of
from jobctl.http.files import FilePart, answer_file, open_part
from jobctl.http.parameters import ItemPath, JobPath
from jobctl.http.server import Server, server_of
from jobctl.services.control.targets import Target
from jobctl.services.output.logs import Choice, Piece, attempts, piece, tail
from jobctl.store.views.items import AttemptView

router = APIRouter(prefix="/v1/jobs/{job}/items/{item}/logs")
_STREAMS = {"stdout": "out", "stderr": "err"}
#: The output of an item may be anything, so no charset is named, and a browser must not guess what it is.
_MEDIA_TYPE = "text/plain"
_HEADERS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}


@router.get("/{stream}", response_class=Response)
async def show_output(
    request: Request,
    job: JobPath,
    item: ItemPath,
    stream: Annotated[Literal["stdout", "stderr"], Path(description="Standard output or standard error.")],
    found: Reader,
    attempt: Annotated[
        int | None, Query(description="This attempt; default: the latest.", ge=1, le=1_000_000_000)
    ] = None,
    tail: Annotated[int | None, Query(description="Only this many lines at the end.", ge=0, le=1_000_000)] = None,
) -> Response:
    """The output of an item, as the item wrote it. While the item runs, it is what there is so far."""
    server = server_of(request)
    part, number, is_over = await server.call(_open, server, found, job, item, _STREAMS[stream], attempt, tail)
    headers = {**_HEADERS, "Jobctl-Attempt": str(number), "Jobctl-Attempt-Running": str(not is_over).lower()}
    return answer_file(request, part, headers, _MEDIA_TYPE)


def _open(
    server: Server, found: Caller, text: str, item: int, stream: str, attempt: int | None, lines: int | None
) -> tuple[FilePart, int, bool]:
    with server.database() as database:
        job = job_of(database, found, text)
        chosen = list(attempts(database, [Target(job, item)], Choice(attempt=attempt)))
        if not chosen:
            raise NotFound(f"item {job}.{item} has not run", hint=f"jobctl explain {job}.{item}")
        _, view = chosen[0]
        where = piece(server.home, job, view, stream)
    skip = 0 if lines is None else tail(where, lines)
    return _part(where, skip, f"{job}.{item}", view), view.attempt, view.ending is not None


def _part(where: Piece, skip: int, name: str, view: AttemptView) -> FilePart:
    """The bytes of a stream after the first ``skip``. Bytes of an output never change; it only becomes longer."""
    if not where.exists():
        return FilePart(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), 0, 0, _etag(name, view, 0, 0))
    try:
        descriptor, size = open_part(where.path, where.offset + skip)
    except FileNotFoundError:
        raise NotFound(f"the output of item {name} is not on this machine", hint=f"jobctl logs {name}") from None
    length = size if where.length is None else min(size, where.length - skip)
    return FilePart(descriptor, where.offset + skip, length, _etag(name, view, skip, length))


def _etag(name: str, view: AttemptView, skip: int, length: int) -> str:
    return f'"{name}.{view.attempt}-{view.started_at}-{skip}-{length}"'
