"""Reads the body of a request within the limits: its size, and the time that a slow client may take."""

from __future__ import annotations

import asyncio
import time

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from jobctl.http.problems import Refused

#: Bytes per second that a client must send on average once it has sent for longer than the time limit.
_LEAST_PER_S = 512


class LimitedBody:
    """The body of one request. ``refused`` says why it was not read to its end."""

    def __init__(self, receive: Receive, headers: Headers, most: int, timeout_s: float) -> None:
        """``most`` is in bytes."""
        self.refused: Refused | None = None
        self._receive = receive
        self._most = most
        self._timeout_s = timeout_s
        self._is_open = "content-length" in headers or "transfer-encoding" in headers
        self._begun = time.monotonic()
        self._bytes = 0

    @staticmethod
    def check(headers: Headers, most: int) -> None:
        """Raise Refused (413) for a body that says that it is too large, before anything of it is read."""
        given = headers.get("content-length", "")
        if given.isdecimal() and (len(given) > 18 or int(given) > most):
            raise _too_large(most)

    async def receive(self) -> Message:
        """The next message, as ASGI defines it. Raises Refused for a body that is too large or too slow."""
        if not self._is_open:  # the body is over, and the client may stay silent as long as it likes
            return await self._receive()
        if self.refused is not None:
            raise self.refused
        message = await self._next()
        self._is_open = message["type"] == "http.request" and message.get("more_body", False)
        self._bytes += len(message.get("body", b""))
        if self._bytes > self._most:
            raise self._refuse(_too_large(self._most))
        passed_s = time.monotonic() - self._begun
        if self._is_open and passed_s > self._timeout_s and self._bytes < passed_s * _LEAST_PER_S:
            raise self._refuse(self._too_slow())
        return message

    async def _next(self) -> Message:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._receive()
        except TimeoutError:
            raise self._refuse(self._too_slow()) from None

    def _refuse(self, error: Refused) -> Refused:
        self.refused = error
        return error

    def _too_slow(self) -> Refused:
        return Refused(
            408, "the body of the request comes too slowly", code="too_slow", headers={"Connection": "close"}
        )


def _too_large(most: int) -> Refused:
    return Refused(
        413,
        f"the body of the request is larger than {most:,} bytes",
        code="too_large",
        hint="jobctl serve --max-body changes the limit",
        headers={"Connection": "close"},
    )
