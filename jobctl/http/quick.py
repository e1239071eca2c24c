"""Answers ``GET /v1/jobs/42`` from kept bytes before any route is looked for.

Programs that poll ask this most of all, and FastAPI takes longer to find a route and its parameters than the answer
takes. What is not kept, or has parameters, is answered by the route, which keeps it for the next request.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from jobctl.http.access import CALLER, Caller
from jobctl.http.answers import CACHE_CONTROL, MEDIA_TYPE, knows
from jobctl.http.kept import Kept, KeptJobs
from jobctl.http.versions import Deprecated

_PREFIX = "/v1/jobs/"
_ROUTE = "/v1/jobs/{job}"
#: The longest number of a job.
_DIGITS = 18
_TYPE = (b"content-type", MEDIA_TYPE.encode())
_CONTROL = (b"cache-control", CACHE_CONTROL.encode())


class QuickJobs:
    """The layer below the gate, which has found out who the caller is."""

    def __init__(self, app: ASGIApp, kept: KeptJobs, table: Sequence[Deprecated] = ()) -> None:
        """``table``: answers of a deprecated route have more headers, so its route makes them."""
        self._app = app
        self._kept = kept
        self._is_off = any(row.path == _ROUTE for row in table)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from kept bytes, or pass the request on."""
        kept = None if self._is_off else self._found(scope)
        if kept is None:
            await self._app(scope, receive, send)
            return
        given = (value.decode("latin-1") for name, value in scope["headers"] if name == b"if-none-match")
        known = any(knows(value, kept.etag) for value in given)
        headers = [_CONTROL, (b"etag", kept.etag.encode()), *kept.raw_headers]
        if known:
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        headers += [_TYPE, (b"content-length", b"%d" % len(kept.body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": kept.body})

    def _found(self, scope: Scope) -> Kept | None:
        """The kept answer for a request, if the caller may see all jobs and the answer is true."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
            return None
        path: str = scope["path"]
        text = path[len(_PREFIX) :]
        if not (path.startswith(_PREFIX) and text.isascii() and text.isdigit() and len(text) <= _DIGITS):
            return None
        caller = scope.get(CALLER)
        if not isinstance(caller, Caller) or not caller.sees_all:
            return None
        return self._kept.true(int(text))
