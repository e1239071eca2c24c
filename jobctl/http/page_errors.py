"""Errors for a person: where a browser asks for a page that is not one of ``/v1``, the answer is a page as well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from jobctl.errors import JobctlError
from jobctl.http.problems import Refused
from jobctl.http.routes.pages import error_response


def install(app: FastAPI) -> None:
    """Put the pages before the problem documents, which ``problems.install`` has put in place."""
    for kind in (JobctlError, HTTPException):
        app.add_exception_handler(kind, _before(app.exception_handlers[kind]))


def _before(problem: Any) -> Callable[[Request, Exception], Awaitable[Response]]:
    """The page for a person, otherwise the problem document of this handler."""

    async def handle(request: Request, error: Exception) -> Response:
        if not _is_for_a_person(request):
            found: Response = await problem(request, error)
            return found
        if isinstance(error, HTTPException):
            name = HTTPStatus(error.status_code).phrase.lower()
            return error_response(Refused(error.status_code, f"{request.url.path}: {name}"))
        assert isinstance(error, JobctlError)
        return error_response(error)

    return handle


def _is_for_a_person(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/")
