"""``/``, ``/jobs/42`` and the other pages for a browser: documents of the services as HTML."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from jobctl.domain.job_filter_options import list_from
from jobctl.domain.tokens import includes
from jobctl.errors import JobctlError, NotFound
from jobctl.http.access import Caller, Reader, job_of, limited, selection_of
from jobctl.http.answers import digest, of_bytes
from jobctl.http.page_data import item_list_of, item_page_of, job_page_of
from jobctl.http.page_files import static_root
from jobctl.http.parameters import After, Cursor, ItemPath, JobPath, cursor_of, place_of
from jobctl.http.problems import Refused, input_message, of_error
from jobctl.http.server import Server, server_of
from jobctl.render.pages.actions import RefusedForm
from jobctl.render.pages.frame import Frame, Page, Viewer, live_part, markup
from jobctl.render.pages.item import item_page
from jobctl.render.pages.items import item_list_page
from jobctl.render.pages.job import job_page
from jobctl.render.pages.job_list import JobList, job_list_page
from jobctl.render.pages.notices import error_page, sign_in_page
from jobctl.services.output.report import Subject
from jobctl.services.status.document import empty_list_document, page_document

#: A browser sends the origin of a form only with a policy that allows it, and the origin of each form is checked.
HEADERS = {"Referrer-Policy": "same-origin"}
#: The answers to what a person did; an address has only the word, so that nobody can make a page say something else.
SAID = {
    "cancelled": "The cancel was requested.",
    "paused": "The job is paused; running items finish.",
    "resumed": "The job continues.",
    "retried": "A new round has begun.",
    "changed": "The rules were changed.",
    "submitted": "The job was accepted.",
    "nothing": "Nothing was changed: the state was another one already.",
}
#: Jobs of one page.
JOBS = 50
#: A text that a person typed into a form.
Typed = Annotated[str, Query(max_length=1_000)]
#: Only the part of the page that changes.
Part = Annotated[Literal["live"] | None, Query()]


class PageRoute(APIRoute):
    """A route whose errors are pages as well."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route."""
        answer = super().get_route_handler()

        async def with_error_pages(request: Request) -> Response:
            try:
                return await answer(request)
            except JobctlError as error:
                return error_response(of_error(error))
            except RequestValidationError as error:
                first = error.errors()[0]
                return error_response(of_error(Refused(422, f"{first['loc'][-1]}: {input_message(first['msg'])}")))

        return with_error_pages


router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/")
async def show_jobs(
    request: Request,
    found: Reader,
    state: Typed = "",
    name: Typed = "",
    queue: Typed = "",
    label: Typed = "",
    since: Typed = "",
    sort: Typed = "",
    after: Cursor = None,
    part: Part = None,
) -> Response:
    """All jobs, page by page."""
    values = {"state": state, "name": name, "queue": queue, "label": label, "since": since, "sort": sort}
    server, given = server_of(request), _typed(values)
    page = await server.call(_jobs, server, found, given, after)
    return page_response(request, found, page, is_part=part is not None)


def _jobs(server: Server, found: Caller, given: dict[str, str], after: str | None) -> Page:
    now = server.now()
    listing = limited(found, list_from({**_as_options(given), "limit": JOBS}, now, everything=True))
    place = None if after is None else place_of(after)
    try:
        with server.database() as database:
            document, last = page_document(database, server.home, now, listing, place, program=server.program)
    except NotFound:  # there is no store yet
        document, last = empty_list_document(now), None
    return job_list_page(JobList(document, given, after, None if last is None else cursor_of(last)))


@router.get("/jobs/{job}")
async def show_job(request: Request, job: JobPath, found: Reader, part: Part = None, said: Typed = "") -> Response:
    """One job: the report, live."""
    return await job_response(request, found, job, said=SAID.get(said, ""), is_part=part is not None)


async def job_response(
    request: Request,
    found: Caller,
    job: str,
    *,
    said: str = "",
    refused: RefusedForm | None = None,
    is_part: bool = False,
    status: int = 200,
) -> Response:
    """The page of a job, with the answer to what the person did before, or with a form that was refused."""
    server = server_of(request)

    def read() -> Page:
        with server.database() as database:
            subject = Subject(job_of(database, found, job), server.now(), server.program)
            return job_page(job_page_of(database, server.home, subject, viewer_of(found), said, refused))

    return page_response(request, found, await server.call(read), is_part=is_part, status=status)


@router.get("/jobs/{job}/items")
async def show_items(
    request: Request,
    job: JobPath,
    found: Reader,
    state: Typed = "",
    cause: Typed = "",
    items: Typed = "",
    where: Typed = "",
    after: After = 0,
    part: Part = None,
) -> Response:
    """The items of a job, page by page."""
    server, given = server_of(request), _typed({"state": state, "cause": cause, "items": items, "where": where})
    selection = selection_of(found, _as_options(given))

    def read() -> Page:
        with server.database() as database:
            subject = Subject(job_of(database, found, job), server.now(), server.program)
            return item_list_page(item_list_of(database, server.home, subject, selection, given, after))

    return page_response(request, found, await server.call(read), is_part=part is not None)


@router.get("/jobs/{job}/items/{item}")
async def show_item(
    request: Request,
    job: JobPath,
    item: ItemPath,
    found: Reader,
    attempt: Annotated[int | None, Query(ge=1, le=1_000_000_000)] = None,
    part: Part = None,
    said: Typed = "",
) -> Response:
    """One item, with its attempts and its output."""
    server = server_of(request)

    def read() -> Page:
        with server.database() as database:
            subject = Subject(job_of(database, found, job), server.now(), server.program)
            data = item_page_of(database, server.home, subject, item, viewer_of(found), attempt)
            return item_page(data._replace(said=SAID.get(said, "")))

    return page_response(request, found, await server.call(read), is_part=part is not None)


def _typed(values: dict[str, str]) -> dict[str, str]:
    """The values of a form without those that are empty, which a browser sends as well."""
    return {name: value.strip() for name, value in values.items() if value.strip()}


def _as_options(given: dict[str, str]) -> dict[str, Any]:
    """The values as options have them, some of which may be given several times."""
    return {name: [value] if name in ("state", "label", "cause") else value for name, value in given.items()}


def viewer_of(found: Caller) -> Viewer:
    """The reader of a page, from the caller of its request."""
    return Viewer(includes(found.scope, "submit"), includes(found.scope, "control"), found.door == "browser")


def page_response(request: Request, found: Caller, page: Page, *, is_part: bool = False, status: int = 200) -> Response:
    """A page, or only the part of it that changes."""
    if is_part and page.live is not None:
        text = live_part(page.live, page.body)
    else:
        text = markup(page, Frame(viewer_of(found), static_root()))
    body = text.encode("utf-8", "replace")
    answer = of_bytes(request, body, f'"{digest(body)}"', status=status, headers=HEADERS)
    if answer.status_code != 304:
        answer.headers["Content-Type"] = "text/html; charset=utf-8"
    return answer


def error_response(problem: Response) -> Response:
    """A problem document as a page; for a browser without a session, the page that says how to sign in."""
    found = orjson.loads(problem.body)
    if problem.status_code == 401:
        page = sign_in_page()
    else:
        page = error_page(found["title"], found["detail"], found["hint"], found["details"])
    headers = {name: value for name, value in problem.headers.items() if not name.startswith("content-")}
    text = markup(page, Frame(Viewer(False, False), static_root()))
    return HTMLResponse(text.encode("utf-8", "replace"), problem.status_code, {**headers, **HEADERS})
