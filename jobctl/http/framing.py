"""Refuses requests whose length two readers could take differently (RFC 9112, 6.1).

A proxy in front of the server that goes by ``Content-Length`` would see one request where the server, which goes by
``Transfer-Encoding``, sees two: the second one could borrow the rights of somebody else. So such a request is refused,
and its connection ends.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from jobctl.http.problems import problem


class OneLength:
    """Lets only requests pass that have at most one of the two headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and _has_two(scope["headers"]):
            detail = "a request has a Content-Length or a Transfer-Encoding, not both"
            refusal = problem(400, "bad_request", detail, headers={"Connection": "close"})
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _has_two(headers: list[tuple[bytes, bytes]]) -> bool:
    names = {name for name, _ in headers}
    return b"transfer-encoding" in names and b"content-length" in names
