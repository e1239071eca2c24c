"""What asyncio needs of a store: calls in threads, and waits that end at once when their task is cancelled.

A call of a service takes milliseconds, so it runs in one of a few threads. A wait has no thread: one thread watches the
store for all waits of an event loop, and it ends with the last of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar, cast

from jobctl.config import Home
from jobctl.errors import JobctlError
from jobctl.process.stop_pipe import StopPipe
from jobctl.services.daemon.changes_for_tasks import Changes

#: Threads that call services, for one store.
THREADS = 8
#: Entries of a list that one call reads.
_PAGE = 200
_END = object()
T = TypeVar("T")


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
        self._changes: Changes | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def _follow_fork(self) -> None:
        if self._process != os.getpid():  # the threads are those of the parent
            self._begin()

    async def call(self, function: Callable[..., T], *args: Any, **options: Any) -> T:
        """Call a function in a thread. If the task is cancelled meanwhile, the call itself continues to its end."""
        self._follow_fork()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: function(*args, **options))

    def watched(self) -> contextlib.AbstractAsyncContextManager[Changes]:
        """Watch the store inside this block, for the tasks of the running loop."""
        self._follow_fork()
        loop = asyncio.get_running_loop()
        if self._changes is None or self._loop is not loop:
            self._changes, self._loop = Changes(self._home, linger_s=0), loop
        return self._changes.watched()

    async def until(self, look: Callable[[], T | None], timeout_s: float | None) -> T | None:
        """Call ``look`` in a thread after each change until it returns something; None after ``timeout_s`` seconds."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        async with self.watched() as changes:
            while True:
                seen = changes.number
                found = await self.call(look)
                left_s = None if deadline is None else deadline - time.monotonic()
                if found is not None or (left_s is not None and left_s <= 0):
                    return found
                await changes.after(seen, left_s)

    async def each(self, begin: Callable[..., Iterator[T]], *args: Any, **options: Any) -> AsyncIterator[T]:
        """Yield what an iterator yields, some hundred entries for each call."""
        iterator = await self.call(begin, *args, **options)
        while page := await self.call(lambda: list(islice(iterator, _PAGE))):
            for entry in page:
                yield entry

    async def stream(self, begin: Callable[[int], Iterator[T]]) -> AsyncIterator[T]:
        """Yield what an iterator yields that waits for each entry, in a thread of its own.

        It gets a descriptor that becomes readable when nobody reads any more, and ends then.
        """
        stop = StopPipe()
        loop = asyncio.get_running_loop()
        pool = ThreadPoolExecutor(1, thread_name_prefix="jobctl-stream")
        iterator = begin(stop.reader)
        try:
            while (entry := await loop.run_in_executor(pool, next, iterator, _END)) is not _END:
                yield cast(T, entry)
        finally:
            stop.stop()
            # In its thread, because a connection belongs to the thread that opened it.
            pool.submit(_end, iterator, stop)
            pool.shutdown(wait=False)

    async def interruptible(self, function: Callable[[int], T]) -> T:
        """Call a function in a thread of its own; it gets a descriptor from which each byte counts as one Ctrl-C.

        If the task is cancelled, the function is told so. The cancellation counts when the function has returned.
        """
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        pool = ThreadPoolExecutor(1, thread_name_prefix="jobctl-run")
        future = asyncio.get_running_loop().run_in_executor(pool, _uninterrupted, function, reader)
        is_cancelled = False
        try:
            while not future.done():
                try:
                    await asyncio.wait([future])
                except asyncio.CancelledError:
                    is_cancelled = True
                    os.write(writer, b"!")
            if is_cancelled:
                future.exception()  # it was heard of
                raise asyncio.CancelledError
            return future.result()
        finally:
            pool.shutdown(wait=False)
            os.close(writer)
            os.close(reader)

    def close(self) -> None:
        """End the threads, after the calls that they are in."""
        self._pool.shutdown(wait=False)


def _end(iterator: Iterator[Any], stop: StopPipe) -> None:
    try:
        if isinstance(iterator, Generator):
            iterator.close()
    finally:
        stop.close()


def _uninterrupted(function: Callable[[int], T], reader: int) -> T:
    """Call a function; its KeyboardInterrupt must not end the event loop."""
    try:
        return function(reader)
    except KeyboardInterrupt:
        raise JobctlError("the work was interrupted", hint="store.run(resume=job.id) continues it") from None
