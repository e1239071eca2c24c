"""Routes whose body is a few options as JSON: one of another type or size is refused before it is read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from jobctl.http.problems import Refused

_JSON = "application/json"
#: The most bytes of such a body: a selection of items may name thousands of numbers.
MOST_BYTES = 1 << 20


class SmallBodyRoute(APIRoute):
    """A route that reads at most ``MOST_BYTES``. FastAPI keeps the whole body in memory, whatever its size."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function that answers a request."""
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            _check_type(request)
            return await answer(Request(request.scope, _bounded(request.receive)))

        return handler


def _check_type(request: Request) -> None:
    """Raise Refused (415) for a body that says that it is not JSON. One that says nothing counts as JSON."""
    given = request.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
    is_empty = request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers
    if is_empty or given == _JSON or (given.startswith("application/") and given.endswith("+json")):
        return
    raise Refused(
        415,
        f"this request takes JSON, not {given[:100] or 'a body without a type'}",
        hint=f"Content-Type: {_JSON}; with curl: --json '{{...}}'",
        headers={"Accept": _JSON},
    )


def _bounded(receive: Receive) -> Receive:
    size = 0

    async def receiving() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MOST_BYTES:
            # Of all exceptions, FastAPI passes only this one on from the reading of a body.
            raise HTTPException(413, f"the body of this request has at most {MOST_BYTES:,} bytes")
        return message

    return receiving
