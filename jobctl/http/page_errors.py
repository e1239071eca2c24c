"""Errors for a person: where a browser asks for a page that is not one of ``/v1``, the answer is a page as well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from jobctl.errors import JobctlError
from jobctl.http.routes.pages import error_response


def install(app: FastAPI) -> None:
    """Put the pages before the problem documents, which ``problems.install`` has put in place."""
    for kind in (JobctlError, HTTPException, Exception):
        app.add_exception_handler(kind, _before(app.exception_handlers[kind]))


def _before(problem: Any) -> Callable[[Request, Exception], Awaitable[Response]]:
    """The page for a person, otherwise the problem document of this handler."""

    async def handle(request: Request, error: Exception) -> Response:
        found: Response = await problem(request, error)
        return error_response(found) if _is_for_a_person(request) else found

    return handle


def _is_for_a_person(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/")
