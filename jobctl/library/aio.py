"""The parts of ``AsyncStore`` and ``AsyncJob`` that wait or follow; ``asynchronous.py`` has the other methods."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar, Unpack, overload

from jobctl.errors import WaitTimeout
from jobctl.library.job import Job
from jobctl.library.store import Store
from jobctl.library.tasks import THREADS, StoreTasks
from jobctl.process.stop_pipe import is_readable

if TYPE_CHECKING:
    from jobctl.library.documents import OutputDocument, OutputPieceDocument, PreviewDocument, StatusDocument
    from jobctl.library.job_reading import Stream
    from jobctl.library.options import Command, Duration, File, Moment, Rows, RunOptions, SubmitOptions
    from jobctl.library.progress import Progress
    from jobctl.library.selecting import Numbers, Texts

J = TypeVar("J", bound="AsyncJobBase")


class AsyncStoreBase(Generic[J]):
    """A store whose calls run in threads. Close it, or use it in ``async with``."""

    #: The class of its jobs.
    _kind: type[J]

    def __init__(
        self,
        home: str | os.PathLike[str] | None = None,
        *,
        project: str | os.PathLike[str] | None = None,
        threads: int = THREADS,
    ) -> None:
        self._store = Store(home, project=project)
        self._tasks = StoreTasks(self._store.place, threads)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Async{self._store!r}"

    def close(self) -> None:
        """End the threads, after the calls that they are in."""
        self._tasks.close()

    @property
    def home(self) -> Path:
        """The folder of the store."""
        return self._store.home

    @property
    def folder(self) -> str:
        """The folder from which the project file is looked for."""
        return self._store.folder

    @overload
    async def submit(
        self,
        file: File | None = None,
        *,
        rows: Rows | None = None,
        command: Command | None = None,
        dry_run: Literal[False] = False,
        wait: bool = False,
        start_daemon: bool = False,
        **options: Unpack[SubmitOptions],
    ) -> J: ...

    @overload
    async def submit(
        self,
        file: File | None = None,
        *,
        rows: Rows | None = None,
        command: Command | None = None,
        dry_run: Literal[True],
        wait: bool = False,
        start_daemon: bool = False,
        **options: Unpack[SubmitOptions],
    ) -> PreviewDocument: ...

    async def submit(
        self,
        file: File | None = None,
        *,
        rows: Rows | None = None,
        command: Command | None = None,
        dry_run: bool = False,
        wait: bool = False,
        start_daemon: bool = False,
        **options: Unpack[SubmitOptions],
    ) -> J | PreviewDocument:
        """Accept rows as a job, as ``Store.submit``. A generator of rows is read in a thread.

        If the task is cancelled, the job may exist: a submission with the same ``key`` finds it.
        """
        from jobctl.library.submitting import Wanted

        wanted = Wanted(file, rows, command, dict(options), starts_daemon=start_daemon)
        if not wait:
            return self._asynchronous(await self._tasks.call(self._store._submit, wanted, dry_run=dry_run, wait=False))  # type: ignore[no-any-return]
        found = await self._tasks.interruptible(
            lambda stop: self._store._submit(wanted, dry_run=dry_run, wait=True, look=lambda: _check(stop))
        )
        return self._asynchronous(found)  # type: ignore[no-any-return]

    async def run(
        self,
        file: File | None = None,
        *,
        rows: Rows | None = None,
        command: Command | None = None,
        resume: int | str | None = None,
        progress: Progress = None,
        **options: Unpack[RunOptions],
    ) -> J:
        """Accept rows as a job and run it here, as ``Store.run``; a function ``progress`` is called in the event loop.

        If the task is cancelled, the running items finish first; a second cancellation ends them. The job stays.
        """
        from jobctl.library.submitting import Wanted

        wanted, show = Wanted(file, rows, command, dict(options), foreground=True), _in_loop(progress)
        job = await self._tasks.interruptible(lambda stop: self._store._run(wanted, resume, show, stop))
        return self._asynchronous(job)  # type: ignore[no-any-return]

    def _asynchronous(self, found: Any) -> Any:
        """A job as an asynchronous one, and jobs in a list; anything else as it is."""
        if isinstance(found, list):
            return [self._asynchronous(each) for each in found]
        return self._kind(found, self) if isinstance(found, Job) else found


class AsyncJobBase:
    """A job whose calls run in the threads of its store."""

    def __init__(self, job: Job, store: AsyncStoreBase[Any]) -> None:
        """Made by the methods of ``AsyncStore``."""
        self._job = job
        self._of = store
        self._tasks = store._tasks
        #: The number of the job.
        self.id: int = job.id
        #: Whether the submission found a job with the same key, and accepted nothing new.
        self.replayed: bool = job.replayed
        #: What the submission has to say about its options and rows: sentences for people.
        self.notices: tuple[str, ...] = job.notices

    @property
    def uid(self) -> str:
        """The unique name of the job, which no other job of any store has. Raises NotFound."""
        return self._job.uid

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AsyncJobBase) and self._job == other._job

    def __hash__(self) -> int:
        return hash(self._job)

    def __repr__(self) -> str:
        return f"<Async{repr(self._job)[1:]}"

    def _repr_html_(self) -> str | None:
        return self._job._repr_html_()

    async def wait(self, timeout: Duration | None = None) -> StatusDocument:
        """Wait until the job is done, as ``Job.wait``. The wait takes no thread, and a cancellation ends it at once."""
        from jobctl.domain.durations import option_duration
        from jobctl.library.given import text_of
        from jobctl.services.daemon.wait import timeout_error

        text = None if timeout is None else text_of("timeout", timeout)
        seconds = 0.0 if text == "0" else None if text is None else option_duration("--timeout", text)
        found = await self._tasks.until(self._done, seconds)
        if found is None:
            error = await self._tasks.call(timeout_error, self._job.store.place, {self.id: ""}, text)
            raise error or WaitTimeout(f"not done after {text}: job {self.id}")
        return found

    def _done(self) -> StatusDocument | None:
        status = self._job.status()
        return status if status.done else None

    async def watch(self, progress: Progress = True) -> StatusDocument:
        """Show the job until it is done, as ``Job.watch``; a function ``progress`` is called in the event loop."""
        from jobctl.library.foreground import LEAVE
        from jobctl.library.progress import shown
        from jobctl.services.daemon.changes import REST_S, TICK_S

        with shown(progress, LEAVE) as show:
            async with self._tasks.watched() as changes:
                while True:
                    seen = changes.number
                    status = await self._tasks.call(self._job.status)
                    show(status)
                    if status.done:
                        return status
                    await asyncio.sleep(REST_S)
                    await changes.after(seen, TICK_S if status.counts.running else None)

    @overload
    async def logs(
        self,
        item: int,
        *,
        stream: Stream | None = None,
        attempt: int | None = None,
        tail: int | None = None,
    ) -> OutputDocument: ...

    @overload
    def logs(
        self,
        item: int,
        *,
        stream: Stream | None = None,
        attempt: Literal["all"],
        tail: int | None = None,
    ) -> AsyncIterator[OutputDocument]: ...

    @overload
    def logs(
        self,
        item: None = None,
        *,
        stream: Stream | None = None,
        attempt: int | Literal["all"] | None = None,
        tail: int | None = None,
        since: Moment | None = None,
        state: Texts = None,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
    ) -> AsyncIterator[OutputDocument]: ...

    def logs(
        self,
        item: int | None = None,
        *,
        stream: Stream | None = None,
        attempt: int | Literal["all"] | None = None,
        tail: int | None = None,
        since: Moment | None = None,
        state: Texts = None,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
    ) -> Any:
        """Return the output of one item, or yield that of all selected items that have run, as ``Job.logs``.

        For one item it is awaited, for several it is read with ``async for``.
        """
        chosen: dict[str, Any] = {"state": state, "cause": cause, "where": where, "items": items}
        what: Any = partial(self._job.logs, item, stream=stream, attempt=attempt, tail=tail, since=since, **chosen)
        return self._tasks.call(what) if item is not None and attempt != "all" else self._tasks.each(what)

    def follow_logs(
        self, item: int | None = None, *, stream: Stream | None = None, tail: int | None = None
    ) -> AsyncIterator[OutputPieceDocument]:
        """Yield output as it is written, as ``Job.follow_logs``. Each iterator has a thread until it ends."""
        return self._tasks.stream(lambda stop: self._job._follow_logs(item, stream, tail, stop))


def plain(value: Any) -> Any:
    """A job for the synchronous store; anything else as it is."""
    return value._job if isinstance(value, AsyncJobBase) else value


def _in_loop(progress: Progress) -> Progress:
    """A function that is called in the event loop that runs now, and not in the thread that has the status."""
    if not callable(progress):
        return progress
    loop = asyncio.get_running_loop()
    return lambda status: loop.call_soon_threadsafe(progress, status)


def _check(stop: int) -> None:
    """Raise KeyboardInterrupt if the task of a wait was cancelled."""
    if is_readable(stop):
        raise KeyboardInterrupt
