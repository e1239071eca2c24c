"""The application: its routes, its error answers, and its state."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI

from jobctl.http import openapi, page_errors, page_routers, problems, versions
from jobctl.http.access_log import AccessLog
from jobctl.http.event_feeds import Feeds
from jobctl.http.framing import OneLength
from jobctl.http.gate import Gate
from jobctl.http.intake.receiving import Bounds
from jobctl.http.intake.state import Intake
from jobctl.http.log_streams import LogStreams
from jobctl.http.methods import Head
from jobctl.http.parameters import refuse_unknown
from jobctl.http.quick import QuickJobs
from jobctl.http.routes import (
    control,
    events,
    intake,
    items,
    jobs,
    machine,
    output,
    results,
    sessions,
)
from jobctl.http.server import Server
from jobctl.services.serve.options import ServeLimits

_ROUTERS = (
    jobs.router,
    items.router,
    output.router,
    results.router,
    control.router,
    events.router,
    intake.router,
    machine.router,
    openapi.router,
    sessions.router,
    *page_routers.ROUTERS,
)


def make_app(server: Server, log: AccessLog | None = None) -> FastAPI:
    """Return the application over the store of a server; ``log`` gets a line for each request.

    The pages that FastAPI offers for its document load scripts of other hosts, so there are none.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            app.state.log_streams.close()
            await server.close()

    app = FastAPI(
        title="jobctl",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        lifespan=lifespan,
        dependencies=[Depends(refuse_unknown)],
    )
    app.state.server = server
    app.state.intake = Intake(server, _bounds(server.doors.limits))
    app.state.feeds = Feeds(server)
    app.state.log_streams = LogStreams(server)
    versions.install(app)
    app.add_middleware(OneLength)
    problems.install(app)
    page_errors.install(app)
    for router in _ROUTERS:
        app.include_router(router)
    app.add_middleware(Head)
    app.add_middleware(QuickJobs, kept=server.kept, table=versions.DEPRECATED)
    app.add_middleware(Gate, server=server, log=log)
    return app


def _bounds(limits: ServeLimits) -> Bounds:
    return Bounds(
        rows=limits.max_rows,
        uploads=limits.max_uploads,
        uploads_of_one=limits.uploads_per_token,
    )
