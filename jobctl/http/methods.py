"""HEAD and OPTIONS for every route, as an ASGI layer: HEAD is GET without a body, OPTIONS names the methods."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

_HEAD = "jobctl.head"


def is_head(scope: Scope) -> bool:
    """Return whether a request that a route for GET answers was one for HEAD."""
    return bool(scope.get(_HEAD))


class Head:
    """Lets a route for GET answer HEAD. The server itself leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET", _HEAD: True}
        await self._app(scope, receive, send)
