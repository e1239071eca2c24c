"""Routes whose body is a few options as JSON: a body of another size is refused before it is read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

#: The most bytes of such a body: a selection of items may name thousands of numbers.
MOST_BYTES = 1 << 20


class SmallBodyRoute(APIRoute):
    """A route that reads at most ``MOST_BYTES``. FastAPI keeps the whole body in memory, whatever its size."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function that answers a request."""
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            return await answer(Request(request.scope, _bounded(request.receive)))

        return handler


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
