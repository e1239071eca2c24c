"""``/v1/events`` and ``/v1/jobs/42/events``: what happened, as pages of JSON or as a stream of server-sent events."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from jobctl.domain.documents.http import EventsDocument
from jobctl.http.access import Caller, Reader, job_of
from jobctl.http.answers import answer
from jobctl.http.event_feeds import Selection, feeds_of, over_jobs
from jobctl.http.parameters import JobPath, next_link
from jobctl.http.server import Server, server_of
from jobctl.http.streams import stream, wants_stream
from jobctl.services.events import PAGE, EventReader, check_id
from jobctl.store import event_ids, pruning

router = APIRouter(prefix="/v1")

Since = Annotated[
    int | None,
    Query(
        description="Only events after this id. Without it, those of one job begin with its first one; of all jobs,"
        " a page begins with the first event, and a stream with the next one.",
        ge=0,
        le=event_ids.LARGEST,
    ),
]
LastEventId = Annotated[
    int | None,
    Header(
        description="As since, which it replaces: the id of the last event that a client of a stream has received.",
        ge=0,
        le=event_ids.LARGEST,
    ),
]
WithItems = Annotated[bool, Query(description="Also the outcome of every attempt of an item.")]
Limit = Annotated[int, Query(description="The most events of a page.", ge=1, le=PAGE)]
Wait = Annotated[float, Query(description="Seconds to wait for an event if there is none yet.", ge=0, le=60)]


@router.get("/events")
async def list_events(
    request: Request,
    found: Reader,
    since: Since = None,
    items: WithItems = False,
    limit: Limit = PAGE,
    wait: Wait = 0,
    last_event_id: LastEventId = None,
) -> Response:
    """What happened in all jobs that the caller may see, and in queues and the store if it may see all jobs."""
    selection = Selection(None, items, None if found.sees_all else found)
    return await _events(request, selection, last_event_id if last_event_id is not None else since, limit, wait)


@router.get("/jobs/{job}/events")
async def list_events_of_job(
    request: Request,
    job: JobPath,
    found: Reader,
    since: Since = None,
    items: WithItems = False,
    limit: Limit = PAGE,
    wait: Wait = 0,
    last_event_id: LastEventId = None,
) -> Response:
    """What happened in a job. A stream ends when the job is done, with 204 for a client that has seen all of it."""
    number = await server_of(request).call(_number, server_of(request), found, job)
    given = last_event_id if last_event_id is not None else since
    return await _events(request, Selection(number, items), given, limit, wait)


def _number(server: Server, found: Caller, text: str) -> int:
    with server.database() as database:
        return job_of(database, found, text)


async def _events(request: Request, selection: Selection, since: int | None, limit: int, wait_s: float) -> Response:
    server = server_of(request)
    if not wants_stream(request):
        return await _listed(request, selection, since or 0, limit, wait_s)
    start = await server.call(_start, server, selection, since)
    if start is None:
        return Response(None, 204, {"Cache-Control": "no-store"})
    return stream(request, feeds_of(request).events(selection, start))


def _start(server: Server, selection: Selection, since: int | None) -> int | None:
    """The id after which a stream begins; None if nothing follows for ever. Raises NotFound, UsageError."""
    with server.database() as database:
        if since is not None:
            check_id(database, since)
        elif selection.job is None:
            return event_ids.last(database)
        over = over_jobs(database, [] if selection.job is None else [selection.job])
        is_over = selection.job in over
        has_more = not is_over or EventReader(database, selection.wanted(database), since or 0).read(1)
        return since or 0 if has_more else None


async def _listed(request: Request, selection: Selection, since: int, limit: int, wait_s: float) -> Response:
    server = server_of(request)
    document = await server.call(_document, server, selection, since, limit)
    if wait_s and not document["events"]:
        document = await _waited(server, selection, since, limit, time.monotonic() + wait_s)
    headers = {}
    if len(document["events"]) == limit:
        headers["Link"] = f'<{next_link(request, document["next"], "since")}>; rel="next"'
    return answer(request, document, headers=headers)


async def _waited(server: Server, selection: Selection, since: int, limit: int, until: float) -> EventsDocument:
    """Wait for an event, until a moment of the steady clock."""
    async with server.changes.watched() as changes:
        while True:
            seen = changes.number
            document = await server.call(_document, server, selection, since, limit)
            left_s = until - time.monotonic()
            if document["events"] or left_s <= 0 or changes.is_closed:
                return document
            await changes.after(seen, left_s)


def _document(server: Server, selection: Selection, since: int, limit: int) -> EventsDocument:
    if selection.job is None and not server.home.database.exists():
        return {"schema": "jobctl.events/1", "events": [], "next": 0, "removed": 0}
    with server.database() as database:
        check_id(database, since)
        reader = EventReader(database, selection.wanted(database), since)
        found = reader.read(limit)
        removed = pruning.last_removed_event(database)
    return {"schema": "jobctl.events/1", "events": found, "next": reader.position, "removed": removed}
