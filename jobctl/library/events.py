"""Events for programs: for ``for`` and for ``async for``."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from jobctl.errors import UsageError
from jobctl.library.records import wrap
from jobctl.services.events import EventStream, WantedEvents

if TYPE_CHECKING:
    from jobctl.config import Home
    from jobctl.library.documents import EventDocument
    from jobctl.library.tasks import StoreTasks


class Events:
    """Yields events in the order in which they happened, with ``for`` and with ``async for`` (asyncio).

    It ends when all jobs that it is about are done, without ``follow`` after the last event of this moment.
    ``position`` is the id after which it continues: give it as ``since`` to resume, also in another process. Leaving
    the loop and beginning another one continues after the last event. A child that was forked begins one of its own.

    >>> [event.type for event in job.events(follow=False)]
    ['job.submitted']
    """

    def __init__(
        self,
        home: Home,
        wanted: WantedEvents,
        since: int | None,
        *,
        follow: bool = True,
    ) -> None:
        """Made by ``Job.events`` and ``Store.events``."""
        self._home = home
        self._is_closed = True  # until there is a stream
        self._stream = EventStream(home, wanted, since)
        self._is_closed = False
        self._process = os.getpid()
        self._follow = follow
        self._tasks: StoreTasks | None = None
        self._page: deque[EventDocument] = deque()
        #: The id of the last event that the program has got; at the beginning the id after which it begins.
        self.position: int = self._stream.position

    def with_tasks(self, tasks: StoreTasks) -> Self:
        """Read with the threads of this store in ``async for``."""
        self._tasks = tasks
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection to the store. This also happens after the last event, and when the object is deleted.

        Another thread that waits for the next event leaves its loop.
        """
        if not self._is_closed:
            self._is_closed = True
            if self._process == os.getpid():  # else the connection is that of the parent
                self._stream.close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> EventDocument:
        """Return the next event; waits for it.

        Raises StopIteration, NotFound when the store is removed, UsageError in a child that was forked.
        """
        self._refuse_after_fork()
        while not self._page:
            if self._is_at_end():
                raise StopIteration
            if not self._page:
                self._stream.wait(None)
        return self._taken()

    async def __aiter__(self) -> AsyncIterator[EventDocument]:
        """Yield the events in a task; a task that is cancelled leaves nothing behind."""
        from jobctl.library.tasks import StoreTasks

        self._refuse_after_fork()
        tasks = self._tasks or StoreTasks(self._home, threads=1)
        try:
            async with tasks.watched() as changes:
                while True:
                    seen = changes.number
                    is_at_end = not self._page and await tasks.call(self._is_at_end)
                    while self._page:
                        yield self._taken()
                    if is_at_end:
                        return
                    await changes.after(seen)
        finally:
            if tasks is not self._tasks:
                tasks.close()

    def _is_at_end(self) -> bool:
        """Read the next page; whether there is none and no event can come."""
        if self._is_closed:
            return True
        is_over = not self._follow or self._stream.is_over()
        self._page.extend(map(_record, self._stream.read()))
        if is_over and not self._page:
            self.close()
        return self._is_closed

    def _refuse_after_fork(self) -> None:
        """A child would take notices of changes from its parent, and use a connection that is not its own."""
        if self._process != os.getpid():
            raise UsageError(
                "these events are read by the process from which this one was forked",
                hint=f"begin again in this process: job.events(since={self.position})",
            )

    def _taken(self) -> EventDocument:
        event = self._page.popleft()
        self.position = event.id or self.position
        return event


def _record(document: object) -> EventDocument:
    from jobctl.library.documents import EventDocument

    return wrap(document, EventDocument)  # type: ignore[arg-type]
