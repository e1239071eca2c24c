"""The state that all requests of one server share: the store, the clock, and the bound on threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import anyio
import anyio.to_thread
from starlette.requests import HTTPConnection

from jobctl.config import Home
from jobctl.errors import JobctlError
from jobctl.http.doors import Doors
from jobctl.http.kept import KeptJobs
from jobctl.process import moment
from jobctl.services.daemon.changes_for_tasks import Changes
from jobctl.services.status.document import job_document
from jobctl.store import sqlite
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.opening.trouble import explain

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument

P = ParamSpec("P")
T = TypeVar("T")

#: Calls of services at the same time. Each has a connection of its own, and SQLite has one writer at a time anyway.
THREADS = 8


class Server:
    """The state of one server. ``app.state.server`` has it, and ``server_of`` finds it for a request."""

    def __init__(
        self,
        home: Home,
        *,
        program: str = "jobctl",
        now: Callable[[], int] = moment.now,
        doors: Doors | None = None,
    ) -> None:
        """``program`` is the command line of jobctl in the commands of documents; ``now`` is in microseconds UTC."""
        self.home = home
        self.doors = Doors(home) if doors is None else doors
        self.program = program
        self.now = now
        #: Set when the server stops.
        self.stopping = asyncio.Event()
        #: What waiting requests wait for.
        self.changes = Changes(home)
        self.kept = KeptJobs(home, lambda job: self.call(self._status, job))
        self._threads = anyio.CapacityLimiter(THREADS)

    async def call(self, service: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Run a service, which blocks, in one of a bounded number of threads.

        Raises what it raises; an error of the database or the disk as a problem that a person can solve.
        """
        return await self.call_in(self._threads, lambda: service(*args, **options))

    async def call_in(self, limiter: anyio.CapacityLimiter, work: Callable[[], T]) -> T:
        """``call`` in one of the threads of another bound, for work that takes long."""
        try:
            return await anyio.to_thread.run_sync(work, limiter=limiter)
        except (sqlite.Error, OSError) as error:
            known = explain(error, str(self.home.root))
            if known is None and isinstance(error, OSError) and error.strerror:
                known = JobctlError(error.strerror)
            if known is None:
                raise
            raise known from error

    @contextmanager
    def database(self) -> Iterator[Database]:
        """A connection for the thread that asks, closed at the end of the block.

        Raises NotFound without a store, Busy, StoreError.
        """
        database = open_database(self.home)
        try:
            yield database
        finally:
            database.close()

    def end_waits(self) -> None:
        """End the requests that wait for something, and streams. Whoever stops the server does this first."""
        self.changes.close()
        self.stopping.set()

    async def close(self) -> None:
        """Release what the server keeps, when it stops."""
        self.end_waits()
        self.doors.close()
        self.kept.close()

    def _status(self, job: int) -> StatusDocument:
        with self.database() as database:
            return job_document(database, self.home, job, self.now(), program=self.program)


def server_of(request: HTTPConnection) -> Server:
    """The server that a request came to."""
    found = request.app.state.server
    assert isinstance(found, Server)
    return found
