"""Tells waiting tasks that the store has changed: one thread with one connection watches it for all of them.

A thousand requests that wait cost one task each, and no thread, connection or look at the store. ::

    async with changes.watched():
        while True:
            seen = changes.number  # before the store is read, so that no change in between is missed
            ...
            await changes.after(seen, timeout_s)
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from jobctl.config import Home
from jobctl.process.stop_pipe import StopPipe, is_readable
from jobctl.services.daemon.changes import StoreWatch
from jobctl.store.opening.open import open_database

#: The least number of seconds between two changes that are told: a busy engine commits hundreds of times a second.
REST_S = 0.1
#: Seconds for which the thread of a server watches without a reader, so that a client that asks again does not start it
#: each time.
LINGER_S = 10.0


class Changes:
    """The changes of one store. Everything but the thread belongs to the event loop."""

    def __init__(self, home: Home, linger_s: float = LINGER_S) -> None:
        """After ``linger_s`` seconds without a reader the thread ends."""
        self._home = home
        self._linger_s = linger_s
        #: Grows with every change that is told.
        self.number = 0
        self._arrived = asyncio.Event()
        self._watcher: _Watcher | None = None
        self._readers = 0
        self._linger: asyncio.TimerHandle | None = None
        self._is_closed = False

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[Changes]:
        """Watch the store for the block: what changes after its begin is told.

        Raises NotFound for a home without a store, and what opening a store raises.
        """
        self._readers += 1
        try:
            await self._watching()
            yield self
        finally:
            self._readers -= 1
            if not self._readers and not self._is_closed:
                self._leave()

    async def after(self, seen: int, timeout_s: float | None = None) -> bool:
        """Wait until ``number`` is not ``seen`` any more; False if ``timeout_s`` seconds have passed.

        It returns True at once, and always, after ``close``: see ``is_closed``. Raises what ended the watch:
        NotFound when the store is removed.
        """
        if self._is_closed or self.number != seen:
            return True
        self._check()  # the watch may have ended while the task has looked at the store
        try:
            async with asyncio.timeout(timeout_s):
                await self._arrived.wait()
        except TimeoutError:
            return False
        self._check()
        return True

    def _check(self) -> None:
        if self._watcher is not None:
            self._watcher.check()

    @property
    def is_closed(self) -> bool:
        """Whether ``close`` was called: tasks that wait should end."""
        return self._is_closed

    def close(self) -> None:
        """End all waits, now and later. The thread ends soon after."""
        if not self._is_closed:
            self._is_closed = True
            self._rest()
            self._tell()

    def _leave(self) -> None:
        if self._linger_s:
            self._linger = asyncio.get_running_loop().call_later(self._linger_s, self._rest)
        else:
            self._rest()

    async def _watching(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None
        if self._is_closed:
            return
        if self._watcher is None or self._watcher.error is not None:
            self._rest()
            self._watcher = _Watcher(self._home, asyncio.get_running_loop(), self._tell)
        watcher = self._watcher
        await watcher.began.wait()
        watcher.check()

    def _rest(self) -> None:
        """Let the thread end."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = None

    def _tell(self) -> None:
        self.number += 1
        arrived, self._arrived = self._arrived, asyncio.Event()
        arrived.set()


class _Watcher:
    """The thread that watches the store until it is stopped, or until an error ends it."""

    def __init__(self, home: Home, loop: asyncio.AbstractEventLoop, tell: Callable[[], None]) -> None:
        self._home = home
        self._loop = loop
        self._tell = tell
        self._stop = StopPipe()
        #: Set when the watch has begun, or could not begin.
        self.began = asyncio.Event()
        self.error: Exception | None = None
        threading.Thread(target=self._run, name="jobctl-changes", daemon=True).start()

    def check(self) -> None:
        """Raise what has ended the watch."""
        if self.error is not None:
            raise self.error.with_traceback(None)

    def stop(self) -> None:
        """Let the thread end."""
        self._stop.stop()

    def _run(self) -> None:
        try:
            database = open_database(self._home)
            with contextlib.closing(database), StoreWatch(database, self._home) as watch:
                self._in_loop(self.began.set)
                is_over = False
                while not is_over:
                    if watch.wait(None, (self._stop.reader,)):
                        self._in_loop(self._tell)
                    is_over = is_readable(self._stop.reader, REST_S) or self._loop.is_closed()
        except Exception as error:
            self._in_loop(self._has_failed, error)
        finally:
            self._stop.close()

    def _has_failed(self, error: Exception) -> None:
        self.error = error
        self.began.set()
        self._tell()

    def _in_loop(self, act: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(act, *args)
