"""Ends streams of events whose callers may not read them any more: a revoked token, a session that is over.

One task looks for all of them, when the store changes and once a minute. Without a stream there is no task.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jobctl.errors import JobctlError
from jobctl.http import identity
from jobctl.http.access import Caller
from jobctl.http.doors import Doors
from jobctl.services.daemon.changes_for_tasks import Changes
from jobctl.store import sqlite

#: Seconds between two looks at sessions, whose end changes nothing in the store.
_LOOK_S = 60.0


class Streams:
    """The open streams of one server."""

    def __init__(self, doors: Doors, changes: Changes) -> None:
        self._doors = doors
        self._changes = changes
        self._open: dict[asyncio.Task[object], Caller] = {}
        self._ended: set[asyncio.Task[object]] = set()
        self._watch: asyncio.Task[None] | None = None

    def add(self, task: asyncio.Task[object] | None, caller: Caller) -> None:
        """Look after the stream that the task of a request sends, or another task for it."""
        if task is None or caller.door == "socket":
            return
        self._open[task] = caller
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._look_after())

    @contextmanager
    def ending(self, ended: Callable[[], None]) -> Iterator[None]:
        """Leave the block without an error, and call ``ended``, if the stream of the current task was ended here."""
        task = asyncio.current_task()
        assert task is not None
        try:
            yield
        except asyncio.CancelledError:
            if task not in self._ended:
                raise
        finally:
            self._open.pop(task, None)
            if task in self._ended:  # whoever sent the stream may have kept the cancellation to himself
                self._ended.discard(task)
                while task.cancelling():
                    task.uncancel()
                ended()

    async def _look_after(self) -> None:
        while self._open and not self._changes.is_closed:
            with contextlib.suppress(JobctlError, sqlite.Error):  # a store that is removed ends streams by itself
                async with self._changes.watched() as changes:
                    while self._open and not changes.is_closed:
                        seen = changes.number
                        self._end_invalid()
                        await changes.after(seen, _LOOK_S)
            await asyncio.sleep(1.0)

    def _end_invalid(self) -> None:
        valid = {caller: identity.is_still_valid(caller, self._doors) for caller in set(self._open.values())}
        for task, caller in list(self._open.items()):
            if not valid[caller]:
                del self._open[task]
                self._ended.add(task)
                task.cancel()
