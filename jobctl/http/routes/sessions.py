"""Browsers: the link that signs one in, once, and the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from jobctl.domain.durations import format_time
from jobctl.http import identity
from jobctl.http.access import Reader
from jobctl.http.answers import answer
from jobctl.http.problems import Refused
from jobctl.http.server import Server, server_of
from jobctl.http.sessions import LINK_S, SESSION_S

if TYPE_CHECKING:
    from jobctl.domain.documents.tokens import LinkDocument

router = APIRouter()

#: The path of a link, and the name of its key.
OPEN = "/open"


def new_link(server: Server) -> LinkDocument | None:
    """Return ``jobctl.serve_link/1``, a link that signs a browser in once; None if the server has no address."""
    if not server.doors.urls:
        return None
    key = server.doors.sessions.new_link()
    ends_at = server.now() + int(LINK_S * 1e6)
    return {
        "schema": "jobctl.serve_link/1",
        "url": f"{server.doors.urls[0]}{OPEN}?key={key}",
        "expires_at": format_time(ends_at),
    }


@router.post("/v1/links", status_code=201)
async def make_link(request: Request, found: Reader) -> Response:
    """Make a link that signs a browser in once. Only the user may, through the Unix socket."""
    if not found.is_user:
        raise Refused(403, "only the user makes links, through the Unix socket", hint="jobctl serve link")
    document = new_link(server_of(request))
    if document is None:
        raise Refused(409, "the server listens at its Unix socket only", hint="start it without --no-tcp")
    return answer(request, document, status=201, headers={"Cache-Control": "no-store"})


@router.get(OPEN, include_in_schema=False)
async def open_link(
    request: Request, key: Annotated[str, Query(description="The key of the link.", max_length=100)] = ""
) -> Response:
    """Use up a link: the browser gets a cookie and goes to the first page."""
    doors = server_of(request).doors
    session = doors.sessions.open(key)
    if session is None:
        raise Refused(
            403,
            "this link was used already, or it is too old",
            code="link_used",
            hint="get another one with: jobctl serve link",
            headers={"Cache-Control": "no-store"},
        )
    response = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
    response.set_cookie(
        identity.cookie_name(request.scope),
        session,
        max_age=int(SESSION_S),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


@router.post("/sign-out", include_in_schema=False)
async def sign_out(request: Request) -> Response:
    """End the session of a browser."""
    doors = server_of(request).doors
    key = identity.session_key(request.scope, request.headers)
    session = None if key is None else doors.sessions.find(key)
    if session is not None:
        doors.sessions.close(session)
    response = RedirectResponse("/", 303, {"Cache-Control": "no-store", "Clear-Site-Data": '"cache", "storage"'})
    response.delete_cookie(identity.cookie_name(request.scope), httponly=True, samesite="strict")
    return response
