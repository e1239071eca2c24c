"""``/v1/jobs/42/items/17/logs/stdout``: the output of an item, byte for byte."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response

from jobctl.errors import NotFound
from jobctl.http.access import Caller, Reader, job_of
from jobctl.http.files import FilePart, answer_file, open_part
from jobctl.http.log_streams import LogPlace, begin_of, place_of
from jobctl.http.parameters import ItemPath, JobPath
from jobctl.http.server import Server, server_of
from jobctl.http.streams import stream as event_stream
from jobctl.http.streams import wants_stream
from jobctl.services.control.targets import Target
from jobctl.services.output.logs import Choice, Piece, attempts, piece, tail
from jobctl.store.views.items import AttemptView

router = APIRouter(prefix="/v1/jobs/{job}/items/{item}/logs")
_STREAMS = {"stdout": "out", "stderr": "err"}
#: The output of an item may be anything. Browsers show it as UTF-8, and must not guess that it is a page.
_MEDIA_TYPE = "text/plain"
#: Bytes of an output, perhaps with the number of an attempt before them.
_OFFSET = r"^([0-9]{1,9}:)?[0-9]{1,15}$"
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
    offset: Annotated[
        str | None,
        Query(
            description="Of a stream: it begins after this number of bytes; ATTEMPT:BYTES names the attempt as well.",
            pattern=_OFFSET,
        ),
    ] = None,
    last_event_id: Annotated[
        str | None, Header(description="Of a stream: as offset, which it replaces.", pattern=_OFFSET)
    ] = None,
) -> Response:
    """The output of an item, as the item wrote it. While the item runs, it is what there is so far.

    As text/event-stream, it is a stream of what the item writes, in JSON; a stream of a given attempt ends with it.
    """
    server = server_of(request)
    if wants_stream(request):
        begin = last_event_id or offset
        place = LogPlace(0, item, _STREAMS[stream], attempt, None if begin is None else begin_of(begin))
        return await _stream(request, found, job, place)
    part, number, is_over = await server.call(_open, server, found, job, item, _STREAMS[stream], attempt, tail)
    headers = {**_HEADERS, "Jobctl-Attempt": str(number), "Jobctl-Attempt-Running": str(not is_over).lower()}
    return answer_file(request, part, headers, _MEDIA_TYPE)


async def _stream(request: Request, found: Caller, job: str, place: LogPlace) -> Response:
    streams = request.app.state.log_streams
    streams.check()
    begun = await server_of(request).call(_begin, server_of(request), found, job, place)
    if begun is None:
        return Response(None, 204, {"Cache-Control": "no-store"})
    return event_stream(request, streams.pieces(begun))


def _begin(server: Server, found: Caller, text: str, place: LogPlace) -> LogPlace | None:
    with server.database() as database:
        return place_of(database, server.home, place._replace(job=job_of(database, found, text)))


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
