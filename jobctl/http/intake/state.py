"""The uploads that a server works on: their bounds, their keys, and the threads that read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import anyio
from starlette.requests import HTTPConnection

from jobctl.http.access import Caller
from jobctl.http.intake.keys import KeysInUse
from jobctl.http.intake.receiving import Bounds
from jobctl.http.problems import Refused
from jobctl.http.server import Server

T = TypeVar("T")

#: Uploads whose rows are read at the same time. The others wait with their files: reading keeps a processor busy.
READERS = 2
_RETRY_S = 5


class Intake:
    """The state of all uploads. It is used in the thread of the event loop alone."""

    def __init__(self, server: Server, bounds: Bounds | None = None) -> None:
        self._server = server
        self.bounds = bounds or Bounds()
        self.keys = KeysInUse()
        self._threads = anyio.CapacityLimiter(READERS)
        self._callers: Counter[str | None] = Counter()

    @contextmanager
    def place(self, caller: Caller) -> Iterator[None]:
        """Count an upload for the block.

        Raises Refused: 429 for one too many of a token, 503 if the server has enough of them.
        """
        if caller.token is not None and self._callers[caller.token] >= self.bounds.uploads_of_one:
            raise _too_many(429, f"{self.bounds.uploads_of_one} uploads of a token at the same time is the most")
        if self._callers.total() >= self.bounds.uploads:
            raise _too_many(503, "the server is busy with other uploads")
        self._callers[caller.token] += 1
        try:
            yield
        finally:
            self._callers[caller.token] -= 1
            self._callers += Counter()

    async def read(self, work: Callable[[], T]) -> T:
        """Run what reads an upload, which blocks, in one of a few threads. Raises what it raises."""
        return await self._server.call_in(self._threads, work)


def _too_many(status: int, message: str) -> Refused:
    headers = {"Retry-After": str(_RETRY_S)}
    return Refused(status, message, code="too_many_uploads", hint=f"send it again in {_RETRY_S} s", headers=headers)


def intake_of(request: HTTPConnection) -> Intake:
    """The uploads of the server that a request came to."""
    found = request.app.state.intake
    assert isinstance(found, Intake)
    return found
