"""``/v1/jobs``: the status of jobs, their causes of failure, explanations and reports."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response

from jobctl.domain.documents.causes import CausesDocument
from jobctl.domain.documents.explain import ExplainDocument
from jobctl.domain.documents.status import StatusListDocument
from jobctl.domain.job_filter_options import list_from
from jobctl.errors import NotFound
from jobctl.http.access import Caller, Reader, job_of, limited, selection_of
from jobctl.http.answers import answer, is_known, of_bytes, revision_in
from jobctl.http.job_wait import await_change
from jobctl.http.kept import Kept
from jobctl.http.links import links_of
from jobctl.http.parameters import (
    NOTHING,
    Causes,
    Cursor,
    ItemPath,
    Items,
    JobLimit,
    JobName,
    JobPath,
    JobStates,
    Labels,
    QueueName,
    Since,
    Sort,
    Wait,
    Where,
    cursor_of,
    next_link,
    place_of,
)
from jobctl.http.server import Server, server_of
from jobctl.render.report.page import POLICY, report_page
from jobctl.services.causes import SORTS, Wanted, causes_document, parse_sort
from jobctl.services.control.targets import Target
from jobctl.services.output.report import Subject, report
from jobctl.services.status.document import empty_list_document, page_document
from jobctl.services.why.explain import explain

router = APIRouter(prefix="/v1")

CauseSort = Annotated[
    str, Query(description="The order of the causes.", max_length=30, json_schema_extra={"enum": list(SORTS)})
]


@router.get("/jobs")
async def list_jobs(
    request: Request,
    found: Reader,
    state: JobStates = NOTHING,
    name: JobName = None,
    label: Labels = NOTHING,
    queue: QueueName = None,
    since: Since = None,
    sort: Sort = None,
    limit: JobLimit = 50,
    after: Cursor = None,
) -> Response:
    """List jobs, newest first unless sort says otherwise, page by page."""
    given = {"state": state, "name": name, "label": label, "queue": queue, "since": since, "sort": sort, "limit": limit}
    server = server_of(request)
    document, cursor = await server.call(_list, server, found, given, after)
    link = None if cursor is None else next_link(request, cursor)
    return answer(request, document, headers={} if link is None else {"Link": f'<{link}>; rel="next"'})


def _list(
    server: Server, found: Caller, given: dict[str, Any], after: str | None
) -> tuple[StatusListDocument, str | None]:
    now = server.now()
    place = None if after is None else place_of(after)
    listing = list_from(given, now, everything=False)
    try:
        with server.database() as database:
            document, last = page_document(
                database, server.home, now, limited(found, listing), place, program=server.program
            )
    except NotFound:  # there is no store yet
        return empty_list_document(now), None
    if not found.sees_all:  # the number of jobs of others is none of its business
        document["jobs_total"] = document["jobs_selected"]
    for each in document["jobs"]:
        each["links"] = links_of(each)
    return document, None if last is None else cursor_of(last)


@router.get("/jobs/{job}")
async def show_job(request: Request, job: JobPath, found: Reader, wait: Wait = 0) -> Response:
    """The status of a job: its state with the reason, its counts, its causes of failure, what can be done next.

    With ``wait`` the answer comes when the job is done. If the request has ``If-None-Match`` with the ETag of an
    earlier answer, it comes as soon as the job has changed since.
    """
    server = server_of(request)
    kept = await _kept(server, found, job)
    if wait and not kept.is_done:
        await await_change(server, kept, _revision_known(request, kept), wait)
        kept = await server.kept.job(kept.job)
    return of_bytes(request, kept.body, kept.etag, headers=kept.headers)


async def _kept(server: Server, found: Caller, text: str) -> Kept:
    """The answer about the job that a word names and the caller may see. Raises NotFound, UsageError."""
    if found.sees_all and text.isdecimal() and len(text) < 18:
        with contextlib.suppress(NotFound):  # it may be the name of a job
            return await server.kept.job(int(text))
    return await server.kept.job(await server.call(_number, server, found, text))


def _number(server: Server, found: Caller, text: str) -> int:
    with server.database() as database:
        return job_of(database, found, text)


def _revision_known(request: Request, kept: Kept) -> int | None:
    """The revision that a client has, if it waits for the next one; None if it waits for the end of the job."""
    given = request.headers.get("if-none-match")
    return None if given is None else kept.revision if is_known(request, kept.etag) else revision_in(given) or 0


@router.get("/jobs/{job}/causes")
async def list_causes(
    request: Request,
    job: JobPath,
    found: Reader,
    sort: CauseSort = "items",
    limit: Annotated[int, Query(description="The most causes; 0 means all.", ge=0, le=10_000)] = 0,
    cause: Causes = NOTHING,
    where: Where = None,
    items: Items = None,
) -> Response:
    """The causes of failure of a job, with the messages of some items as they wrote them."""
    server = server_of(request)
    selection = selection_of(found, {"cause": cause, "where": where, "items": items})
    wanted = Wanted(parse_sort(sort), limit, selection, server.now())
    return answer(request, await server.call(_causes, server, found, job, wanted))


def _causes(server: Server, found: Caller, text: str, wanted: Wanted) -> CausesDocument:
    with server.database() as database:
        return causes_document(database, job_of(database, found, text), wanted, program=server.program)


@router.get("/jobs/{job}/explain")
async def explain_job(request: Request, job: JobPath, found: Reader) -> Response:
    """Why a job is in its state: what holds it back, what has happened to it, and what to do next."""
    server = server_of(request)
    return answer(request, await server.call(_explain, server, found, job, None))


@router.get("/jobs/{job}/items/{item}/explain")
async def explain_item(request: Request, job: JobPath, item: ItemPath, found: Reader) -> Response:
    """Why an item is in its state, and all its attempts."""
    server = server_of(request)
    return answer(request, await server.call(_explain, server, found, job, item))


def _explain(server: Server, found: Caller, text: str, item: int | None) -> ExplainDocument:
    with server.database() as database:
        target = Target(job_of(database, found, text), item)
        return explain(database, server.home, target, server.now(), program=server.program)


@router.get("/jobs/{job}/report", response_class=HTMLResponse)
async def show_report(request: Request, job: JobPath, found: Reader) -> Response:
    """A report on a job as one HTML page, which loads nothing from elsewhere."""
    server = server_of(request)
    page = await server.call(_report, server, found, job)
    return HTMLResponse(page, headers={"Cache-Control": "private, no-cache", "Content-Security-Policy": POLICY})


def _report(server: Server, found: Caller, text: str) -> str:
    with server.database() as database:
        job = job_of(database, found, text)
        return report_page(report(database, server.home, Subject(job, server.now(), server.program)))
