"""Routes for machines: whether the server lives, whether it can work, and its metrics."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from jobctl.domain.documents.http import HealthDocument, ReadyDocument
from jobctl.errors import JobctlError, NotFound
from jobctl.http.access import Reader, refuse_unless_all
from jobctl.http.answers import answer
from jobctl.http.problems import RETRY_S, Refused
from jobctl.http.server import Server, server_of
from jobctl.services.daemon.view import DOWN, daemon_view
from jobctl.services.metrics import metrics_of

router = APIRouter()
_OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@router.get("/healthz")
async def healthz(request: Request) -> Response:
    """Whether the server lives. It touches neither the store nor the daemon, and needs no token."""
    document: HealthDocument = {"schema": "jobctl.health/1", "ok": True}
    return answer(request, document)


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Whether the store can be read, and whether a daemon runs its jobs. It needs no token."""
    server = server_of(request)
    return answer(request, await server.call(_ready, server))


def _ready(server: Server) -> ReadyDocument:
    """The document; an error of the store is the answer of the route (503)."""
    try:
        with server.database() as database:
            state = daemon_view(database, server.home, server.now()).state
    except NotFound:  # there is no store yet: the first submit makes it
        state = DOWN.state
    except JobctlError as error:
        retry = {"Retry-After": str(RETRY_S)}
        raise Refused(503, error.message, code=error.code, hint=error.hint, headers=retry) from error
    return {"schema": "jobctl.ready/1", "ok": True, "daemon": state}


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request, found: Reader) -> Response:
    """The metrics of the store as OpenMetrics text, as jobctl metrics prints them."""
    refuse_unless_all(found)
    server = server_of(request)
    reading = await server.call(metrics_of, server.home, server.now())
    return Response(reading.text(), headers={"Cache-Control": "no-store"}, media_type=_OPENMETRICS)
