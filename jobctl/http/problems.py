"""Turns errors into problem documents (RFC 9457, ``application/problem+json``). Every error of the server is one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, get_args

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from jobctl import errors
from jobctl.domain.nearest import did_you_mean
from jobctl.domain.texts import readable
from jobctl.domain.times import TimePassed
from jobctl.errors import JobctlError
from jobctl.http.wording import in_request
from jobctl.services.submit.idempotency import OtherWork
from jobctl.sources.problems import RowsRejected

MEDIA_TYPE = "application/problem+json"
#: Seconds after which a client may try again what another process was in the way of.
RETRY_S = 1
_LONGEST = 1_000
#: What only the name of a kind of values has, in the place of a mistake.
_KIND = re.compile(r"[-\[(]")
#: How the library of types begins its sentences.
_INPUT = re.compile(r"\A(Input|Value|String|List|Dictionary) should ")

#: The status of each kind of error; a subclass that is not listed has that of its base.
_STATUS: dict[type[JobctlError], int] = {
    errors.UsageError: 422,
    errors.WrongState: 409,
    TimePassed: 409,
    errors.JobChanged: 412,
    errors.InputRejected: 422,
    errors.KeyConflict: 409,
    OtherWork: 422,
    errors.NotFound: 404,
    errors.Busy: 503,
    errors.NoRoom: 507,
    errors.WaitTimeout: 504,
    JobctlError: 500,
}


class Refused(JobctlError):
    """The server refuses a request for a reason that no command has: a missing token, a limit, a changed job."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        details: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """``more`` are additional members of the problem document."""
        super().__init__(message, hint=hint, details=details)
        self.status = status
        self.code = code or HTTPStatus(status).name.lower()
        self.headers = dict(headers or {})
        self.more = dict(more or {})


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    hint: str | None = None,
    details: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Response:
    """Return a problem document as a response; ``code`` is the kind of the error, ``hint`` is what to do next."""
    document = {
        "type": f"urn:jobctl:error:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _text(detail),
        "code": code,
        "hint": None if hint is None else _text(hint),
        "details": [_text(line) for line in details],
        **(more or {}),
    }
    return Response(orjson.dumps(document), status, dict(headers or {}), MEDIA_TYPE)


def of_error(error: JobctlError) -> Response:
    """Return the problem document of an error of a service."""
    if isinstance(error, Refused):
        return problem(
            error.status,
            error.code,
            error.message,
            hint=error.hint,
            details=error.details,
            headers=error.headers,
            more=error.more,
        )
    status = status_of_error(error)
    more = _rows(error) if isinstance(error, RowsRejected) else {}
    headers = {"Retry-After": str(RETRY_S)} if status == 503 else {}
    message, hint = in_request(error.message), None if error.hint is None else in_request(error.hint)
    return problem(status, error.code, message, hint=hint, details=error.details, headers=headers, more=more)


def _rows(error: RowsRejected) -> dict[str, Any]:
    """The places of rejected rows, for programs."""
    found = error.problems
    rows = [
        {
            "location": "body",
            "name": _text(each.column or ""),
            "message": _text(each.message),
            "code": each.code,
            "line": each.line,
            "record": each.record,
            "column": None if each.column is None else _text(each.column),
        }
        for each in found.described
    ]
    return {"errors": rows, "errors_total": found.total}


def status_of_error(error: JobctlError) -> int:
    """Return the status of an error of a service."""
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def install(app: FastAPI) -> None:
    """Make every error of an application a problem document."""
    app.add_exception_handler(JobctlError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_bug)


async def _on_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, JobctlError)
    return of_error(error)


async def _on_invalid(request: Request, error: Exception) -> Response:
    """A parameter or a body that is not as the OpenAPI document says."""
    assert isinstance(error, RequestValidationError)
    found = [
        {"location": str(each["loc"][0]), "name": _name(each["loc"][1:]), "message": _text(_message(each))}
        for each in error.errors()
    ]
    lines = [f"{each['name'] or each['location']}: {each['message']}" for each in found]
    hint = _hint(request, error.errors()[0])
    return problem(422, "usage", lines[0], hint=hint, details=lines[1:], more={"errors": found})


def _message(error: Mapping[str, Any]) -> str:
    return "this request has no such field" if error["type"] == "extra_forbidden" else input_message(str(error["msg"]))


def input_message(text: str) -> str:
    """Return what the library of types says about a value, in the words of the other messages."""
    return _INPUT.sub("it must ", text)


def _hint(request: Request, error: Mapping[str, Any]) -> str | None:
    """For a field that a body does not have: the one that was meant, and all of them."""
    known = _fields_of_body(request.scope.get("route"))
    if error["type"] != "extra_forbidden" or not known:
        return None
    return did_you_mean(str(error["loc"][-1])[:100], known, f"the fields are {', '.join(known)}")


def _fields_of_body(route: Any) -> list[str]:
    """The names of the fields of the body that a route takes."""
    found = getattr(getattr(route, "dependant", None), "body_params", ())
    kinds = [kind for each in found for kind in (each.field_info.annotation, *get_args(each.field_info.annotation))]
    return [name for kind in kinds for name in getattr(kind, "model_fields", ())]


def _name(place: Sequence[Any]) -> str:
    """The field at a place, without the kinds of values that were tried for it: ``constrained-int``."""
    parts = [str(part) for part in place]
    return _text(".".join([*parts[:1], *(part for part in parts[1:] if not _KIND.search(part))]))


async def _on_http(request: Request, error: Exception) -> Response:
    """An error of the framework: an unknown path, a method that a path does not have. OPTIONS names the methods."""
    assert isinstance(error, HTTPException)
    detail, headers = error.detail, dict(error.headers or {})
    if error.status_code == 404:
        detail = f"there is no {request.url.path}"
    elif error.status_code == 405:
        headers["Allow"] = ", ".join(methods_of(request))
        if request.method == "OPTIONS":
            return Response(None, 204, headers)
        detail = f"{request.method} is not a method of {request.url.path}"
    code = HTTPStatus(error.status_code).name.lower()
    return problem(error.status_code, code, detail, hint="GET /openapi.json lists all routes", headers=headers)


def methods_of(request: Request) -> list[str]:
    """Return the methods of all routes at the path of a request; HEAD is one where GET is, and so is OPTIONS."""
    found = {"OPTIONS"}
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes):
            found |= {method, "HEAD"} if method == "GET" else {method}
    return sorted(found)


async def _on_bug(_request: Request, error: Exception) -> Response:
    """An error that no code expects. The server also writes it to its log, with the place."""
    message = f"this is a bug in jobctl: {type(error).__name__}"
    return problem(500, "internal", message, hint="the log of the server says where")


def _text(text: str) -> str:
    return readable(text[:_LONGEST])
