"""The bytes of the last answers about jobs, kept as long as they are true.

They are true while no other connection has committed anything, the daemon is the same, and, for a job that is not done,
for a second, because durations advance. One connection of the event loop tells. Requests at the same time share one
answer that is being made.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from jobctl.config import Home
from jobctl.errors import NotFound
from jobctl.http.answers import digest, encoded, job_etag
from jobctl.http.links import links_of, retry_after
from jobctl.process import lock
from jobctl.store import sqlite
from jobctl.store.opening.glance import Glance, Seen

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument

#: Seconds for which the answer about a job that is not done counts, and those between two looks for the daemon.
FRESH_S = 1.0
_LOOK_S = 0.25
#: The most bytes that are kept.
_MOST_BYTES = 32 << 20


class Kept(NamedTuple):
    """An answer about a job."""

    job: int
    body: bytes
    etag: str
    headers: dict[str, str]
    is_done: bool
    revision: int
    at: tuple[object, ...]  # what the store and the daemon were like before it was made
    core: str  # a digest without what changes by itself
    made_s: float

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers as bytes."""
        return [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]


class KeptJobs:
    """The answers of one server. Only its event loop uses this."""

    def __init__(self, home: Home, load: Callable[[int], Awaitable[StatusDocument]]) -> None:
        """``load`` makes the document of a job. It raises NotFound."""
        self._home = home
        self._load = load
        self._glance: Glance | None = None
        self._kept: OrderedDict[int, Kept] = OrderedDict()
        self._bytes = 0
        self._making: dict[int, tuple[tuple[object, ...], asyncio.Task[Kept]]] = {}
        self._daemon: int | None = None
        self._looked_s = 0.0

    async def job(self, number: int) -> Kept:
        """Return the answer about a job. Raises NotFound, Busy, StoreError."""
        now = self._now()
        kept = self._true(number, now)
        if kept is not None:
            return kept
        started, making = self._making.get(number, (None, None))
        # One that began before the last commit may not have seen it.
        if making is None or started != now:
            making = asyncio.create_task(self._make(number, now))
            self._making[number] = (now, making)
            making.add_done_callback(lambda done: self._forget(number, done))
        return await asyncio.shield(making)

    def true(self, number: int) -> Kept | None:
        """Return the kept answer about a job, if it is still true."""
        return self._true(number, self._now()) if number in self._kept else None

    def _true(self, number: int, now: tuple[object, ...]) -> Kept | None:
        kept = self._kept.get(number)
        if kept is not None and kept.at == now and (kept.is_done or time.monotonic() - kept.made_s < FRESH_S):
            return kept
        return None

    def seen(self, number: int) -> Seen | None:
        """Return the version of a job; None if it cannot be read at once, or does not exist."""
        try:
            self._now()
            return None if self._glance is None else self._glance.job(number)
        except sqlite.Error:
            return None

    def close(self) -> None:
        """Close the connection."""
        if self._glance is not None:
            self._glance.close()
            self._glance = None

    def _forget(self, number: int, done: asyncio.Task[Kept]) -> None:
        if self._making.get(number, (None, None))[1] is done:
            del self._making[number]
        if not done.cancelled():
            done.exception()  # the requests that wait for it raise it

    def _now(self) -> tuple[object, ...]:
        """What the store and the daemon are like; a value that is new each time if that cannot be told."""
        try:
            version = None if self._glance is None else self._glance.version()
        except sqlite.Error:
            version = None
        if version is None:
            self.close()
            return (object(),)
        now_s = time.monotonic()
        if now_s - self._looked_s > _LOOK_S:
            self._daemon, self._looked_s = lock.holder(str(self._home.lock)), now_s
        return (id(self._glance), version, self._daemon)

    def _open(self) -> None:
        """Open the connection, now that another one has opened and checked the store."""
        if self._glance is None:
            with contextlib.suppress(sqlite.Error, NotFound, OSError):
                self._glance = Glance(self._home)

    async def _make(self, number: int, now: tuple[object, ...]) -> Kept:
        document = await self._load(number)
        self._open()
        previous = self._kept.get(number)
        document["links"] = links_of(document)
        core = _core(document)
        if previous is not None and core and previous.core == core:
            kept = previous._replace(at=now, made_s=time.monotonic())
        else:
            body = encoded(document)
            after_s = retry_after(document)
            headers = {} if after_s is None else {"Retry-After": str(after_s)}
            etag = job_etag(document, body)
            kept = Kept(
                number, body, etag, headers, document["done"], document["revision"], now, core, time.monotonic()
            )
        self._keep(kept)
        return kept

    def _keep(self, kept: Kept) -> None:
        before = self._kept.pop(kept.job, None)
        self._bytes += len(kept.body) - (0 if before is None else len(before.body))
        self._kept[kept.job] = kept
        while self._bytes > _MOST_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.body)


def _core(document: StatusDocument) -> str:
    """A digest of what matters of a job that has no running item: not the heartbeat of the daemon, nor its durations.

    So its ETag stays the same while a daemon that does something else writes that it lives. Empty for other jobs.
    """
    if document["counts"]["running"]:
        return ""
    core: dict[str, Any] = {**document, "daemon": {**document["daemon"], "heartbeat_at": None}}
    core["time"] = {**document["time"], "active_s": 0, "paused_s": 0}
    return digest(encoded(core))
