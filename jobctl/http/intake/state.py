"""The uploads that a server works on: their bounds, their keys, and the threads that read them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from typing import TypeVar
from weakref import WeakValueDictionary

import anyio
from starlette.requests import HTTPConnection

from jobctl.http.access import Caller
from jobctl.http.intake.keys import KeysInUse
from jobctl.http.intake.receiving import Bounds
from jobctl.http.problems import Refused
from jobctl.http.server import Server

T = TypeVar("T")

#: Uploads whose rows are read at the same time, of short files and of long ones. The others wait with their files,
#: because reading keeps a processor busy. A token has one of each at a time, so that it does not keep others waiting.
READERS = 2
#: Bytes from which a file is a long one.
LONG = 4 << 20
_RETRY_S = 5


class Intake:
    """The state of all uploads. It is used in the thread of the event loop alone."""

    def __init__(self, server: Server, bounds: Bounds | None = None) -> None:
        self._server = server
        self.bounds = bounds or Bounds()
        self.keys = KeysInUse()
        self._lanes = {is_long: anyio.CapacityLimiter(READERS) for is_long in (False, True)}
        self._turns: WeakValueDictionary[tuple[str, bool], asyncio.Lock] = WeakValueDictionary()
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

    async def read(self, caller: Caller, size: int, work: Callable[[], T]) -> T:
        """Run what reads an upload of ``size`` bytes, which blocks, in one of a few threads. Raises what it raises."""
        is_long = size >= LONG
        async with self._turn(caller.token, is_long):
            return await self._server.call_in(self._lanes[is_long], work)

    def _turn(self, token: str | None, is_long: bool) -> AbstractAsyncContextManager[None]:
        """What one upload of a token holds at a time. A person holds nothing."""
        if token is None:
            return nullcontext()
        turn = self._turns.get((token, is_long))
        if turn is None:
            turn = self._turns[token, is_long] = asyncio.Lock()
        return turn


def _too_many(status: int, message: str) -> Refused:
    headers = {"Retry-After": str(_RETRY_S)}
    return Refused(status, message, code="too_many_uploads", hint=f"send it again in {_RETRY_S} s", headers=headers)


def intake_of(request: HTTPConnection) -> Intake:
    """The uploads of the server that a request came to."""
    found = request.app.state.intake
    assert isinstance(found, Intake)
    return found
