"""``/changes`` and ``/jobs/42/changes``: streams that tell an open page to read the part of it that changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import NamedTuple

from fastapi import APIRouter, Request
from sse_starlette import ServerSentEvent
from starlette.responses import Response

from jobctl.errors import JobctlError
from jobctl.http.access import Caller, Reader, job_of
from jobctl.http.parameters import JobPath
from jobctl.http.server import Server, server_of
from jobctl.http.streams import Sent, stream
from jobctl.store.views import jobs as job_views

router = APIRouter(include_in_schema=False)

#: The least seconds between two changes of one page: it reads its part after each.
PACE_S = 1.0
#: Seconds without a change after which the page of a job that is not done reads its part anyway: times pass, and
#: a daemon may have died.
QUIET_S = 10.0
_CHANGED = ServerSentEvent(data="", event="changed")


@router.get("/changes")
async def changes_of_list(request: Request, found: Reader) -> Response:
    """Tells a list of jobs that a job may have changed."""
    del found
    server = server_of(request)
    return stream(request, _of_store(server))


@router.get("/jobs/{job}/changes")
async def changes_of_job(request: Request, job: JobPath, found: Reader) -> Response:
    """Tells the pages of a job that it has changed. Raises NotFound."""
    server = server_of(request)
    number = await server.call(_number, server, found, job)
    return stream(request, _of_job(server, number))


def _number(server: Server, found: Caller, text: str) -> int:
    with server.database() as database:
        return job_of(database, found, text)


async def _of_store(server: Server) -> AsyncIterator[Sent]:
    """A change for every change of the store, also of one that is made later."""
    while not server.changes.is_closed:
        with suppress(JobctlError):
            async with server.changes.watched() as changes:
                while not changes.is_closed:
                    seen = changes.number
                    yield _CHANGED
                    await asyncio.sleep(PACE_S)
                    await changes.after(seen, QUIET_S)
        await asyncio.sleep(PACE_S)


async def _of_job(server: Server, job: int) -> AsyncIterator[Sent]:
    """A change of the store is a change of the page only if the revision of the job is another one."""
    known = _Seen(-1, False)
    async with server.changes.watched() as changes:
        while not changes.is_closed:
            seen = changes.number
            now = await server.call(_look, server, job)
            if now is None:
                return
            if now != known:
                known = now
                yield _CHANGED
            await asyncio.sleep(PACE_S)
            if not await changes.after(seen, QUIET_S) and not known.is_done:
                yield _CHANGED


class _Seen(NamedTuple):
    """A job as a page knows it."""

    revision: int
    is_done: bool


def _look(server: Server, number: int) -> _Seen | None:
    """The number of changes of a job, and whether it is done; None if it was removed."""
    try:
        with server.database() as database:
            found = job_views.job(database, number)
    except JobctlError:
        return None
    return None if found is None else _Seen(found.revision, found.is_done)
