"""What asyncio needs of a store: calls in threads, and waits that end at once when their task is cancelled.

A call of a service takes milliseconds, so it runs in one of a few threads. A wait has no thread: one thread watches the
store for all waits of an event loop, and it ends with the last of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import Any, TypeVar

from jobctl.config import Home
from jobctl.errors import JobctlError
from jobctl.services.daemon.changes import StoreWatch
from jobctl.store.opening.open import open_database

#: Threads that call services, for one store.
THREADS = 8
#: Entries of a list that one call reads.
_PAGE = 200
#: Seconds after which a wait looks again although it was not told of a change: the end of a daemon writes nothing.
LOOK_S = 5.0
T = TypeVar("T")


class StoreChanges:
    """Tells the tasks of one event loop that the store may have changed. A thread watches while tasks wait."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._loop = asyncio.get_running_loop()
        self._count = 0
        self._waiters: set[asyncio.Future[None]] = set()
        self._watchers = 0
        self._watch: _WatchThread | None = None

    def is_of(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether the tasks of this loop can wait here."""
        return self._loop is loop

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[StoreChanges]:
        """Watch the store inside this block; a change after its beginning is never missed. Raises NotFound."""
        self._watchers += 1
        try:
            if self._watch is None or self._watch.has_ended:
                self._watch = _WatchThread(self._home, self._loop, self._tell)
            await self._watch.ready()
            yield self
        finally:
            self._watchers -= 1
            if not self._watchers and self._watch is not None:
                self._watch.stop()
                self._watch = None

    @property
    def count(self) -> int:
        """The number of changes so far: ask for it before you look at the store."""
        return self._count

    async def wait_after(self, count: int, timeout_s: float | None) -> None:
        """Wait until there is a change after ``count``, or ``timeout_s`` seconds have passed (None = LOOK_S)."""
        if self._count != count:
            return
        future = self._loop.create_future()
        self._waiters.add(future)
        try:
            async with asyncio.timeout(LOOK_S if timeout_s is None else min(timeout_s, LOOK_S)):
                await future
        except TimeoutError:
            pass
        finally:
            self._waiters.discard(future)

    def _tell(self) -> None:
        self._count += 1
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


class _WatchThread:
    """Watches the store with a connection of its own, until it is stopped."""

    def __init__(self, home: Home, loop: asyncio.AbstractEventLoop, tell: Callable[[], None]) -> None:
        self._home = home
        self._loop = loop
        self._tell = tell
        self._ready: asyncio.Future[None] = loop.create_future()
        self._reader, self._writer = os.pipe()
        self.has_ended = False
        # A daemon thread, because a program may drop an event loop with tasks that still wait.
        threading.Thread(target=self._run, name="jobctl-watch", daemon=True).start()

    async def ready(self) -> None:
        """Wait until the store is watched. Raises the error that prevents it."""
        await asyncio.shield(self._ready)

    def stop(self) -> None:
        """End the thread; it ends by itself a moment later."""
        if not self.has_ended:
            self.has_ended = True
            os.close(self._writer)

    def _run(self) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop was closed
            try:
                self._watch()
            except (JobctlError, OSError) as problem:
                self._loop.call_soon_threadsafe(self._fail, problem)
            finally:
                os.close(self._reader)

    def _watch(self) -> None:
        with closing(open_database(self._home)) as database, StoreWatch(database, self._home) as watch:
            self._loop.call_soon_threadsafe(self._begin)
            while not self.has_ended:
                if watch.wait(None, (self._reader,)):
                    self._loop.call_soon_threadsafe(self._tell)

    def _begin(self) -> None:
        if not self._ready.done():
            self._ready.set_result(None)

    def _fail(self, problem: Exception) -> None:
        """The store cannot be watched any more: those who wait look at it themselves, and meet the error."""
        self.stop()
        if not self._ready.done():
            self._ready.set_exception(problem)
        self._tell()


class StoreTasks:
    """The threads and the waits of one store. It may be used with several event loops, one after the other."""

    def __init__(self, home: Home, threads: int = THREADS) -> None:
        """``threads`` is the most calls that run at once; further ones wait for their turn."""
        self._home = home
        self._threads = threads
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="jobctl")
        self._changes: StoreChanges | None = None

    def _follow_fork(self) -> None:
        if self._process != os.getpid():  # the threads are those of the parent
            self._begin()

    async def call(self, function: Callable[..., T], *args: Any, **options: Any) -> T:
        """Call a function in a thread. If the task is cancelled meanwhile, the call itself continues to its end."""
        self._follow_fork()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: function(*args, **options))

    def watched(self) -> contextlib.AbstractAsyncContextManager[StoreChanges]:
        """Watch the store inside this block, for the tasks of the running loop."""
        self._follow_fork()
        if self._changes is None or not self._changes.is_of(asyncio.get_running_loop()):
            self._changes = StoreChanges(self._home)
        return self._changes.watched()

    async def until(self, look: Callable[[], T | None], timeout_s: float | None) -> T | None:
        """Call ``look`` in a thread after each change until it returns something; None after ``timeout_s`` seconds."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        async with self.watched() as changes:
            while True:
                count = changes.count
                found = await self.call(look)
                left_s = None if deadline is None else deadline - time.monotonic()
                if found is not None or (left_s is not None and left_s <= 0):
                    return found
                await changes.wait_after(count, left_s)

    async def each(self, begin: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
        """Yield what an iterator yields, some hundred entries for each call."""
        iterator = await self.call(begin)
        while page := await self.call(lambda: list(islice(iterator, _PAGE))):
            for entry in page:
                yield entry

    def close(self) -> None:
        """End the threads, after the calls that they are in."""
        self._pool.shutdown(wait=False)
