"""The store and its jobs for asyncio.

Generated from ``store.py``, ``job.py`` and ``job_reading.py`` by ``python -m jobctl.library.generate``. Do not edit.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from jobctl.library.aio import AsyncJobBase, AsyncStoreBase, plain

if TYPE_CHECKING:
    import os

    from jobctl.library.documents import (
        CancelledBlock,
        CausesDocument,
        DaemonDocument,
        ExplainDocument,
        ItemBlock,
        PausedJobBlock,
        PreviewDocument,
        PruneDocument,
        ResultsDocument,
        RetriedBlock,
        SetDocument,
        StatusDocument,
        StatusListDocument,
    )
    from jobctl.library.events import Events
    from jobctl.library.job_reading import Kind
    from jobctl.library.options import (
        Command,
        CopyOptions,
        Duration,
        File,
        Function,
        Moment,
        RoundOptions,
        Rows,
        SetOptions,
        SubmitOptions,
    )
    from jobctl.library.result_file import ResultFile
    from jobctl.library.selecting import Numbers, Texts


class AsyncJob(AsyncJobBase):
    """A job of a store, for asyncio. Its methods and their parameters are those of ``jobctl.Job``."""

    @property
    def store(self) -> AsyncStore:
        """The store of the job."""
        return self._of  # type: ignore[return-value]

    async def status(self) -> StatusDocument:
        """Return everything about the job, as ``jobctl status --json``. Raises NotFound if it was removed."""
        return await self._tasks.call(self._job.status)

    def items(
        self,
        *,
        state: Texts = None,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
        after: int = 0,
        limit: int = 0,
    ) -> AsyncIterator[ItemBlock]:
        """Yield the items in their order, page by page, so that millions need no memory."""
        return self._tasks.each(
            self._job.items,
            state=state,
            cause=cause,
            where=where,
            items=items,
            after=after,
            limit=limit,
        )

    async def item(self, number: int) -> ItemBlock:
        """Return one item: its state, its row, its outcome. Raises NotFound."""
        return await self._tasks.call(self._job.item, number)

    async def results(
        self,
        kind: Kind,
        *,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
    ) -> ResultFile:
        """Return the result file of the rows that ended in one way; iterate it for its rows."""
        return await self._tasks.call(self._job.results, kind, cause=cause, where=where, items=items)

    async def result_files(self) -> ResultsDocument:
        """Return all result files with their paths and numbers of rows. Raises NotFound while the job is not done."""
        return await self._tasks.call(self._job.result_files)

    async def causes(
        self,
        *,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
        sort: Literal["items", "first", "last"] = "items",
        limit: int = 0,
    ) -> CausesDocument:
        """Return the causes of failure with the messages of some items. Raises UsageError, NotFound."""
        return await self._tasks.call(self._job.causes, cause=cause, where=where, items=items, sort=sort, limit=limit)

    async def explain(self, item: int | None = None) -> ExplainDocument:
        """Return why the job, or one of its items, is in its state, and what has happened to it. Raises NotFound."""
        return await self._tasks.call(self._job.explain, item)

    def events(self, *, since: int | Moment | None = None, follow: bool = True, items: bool = False) -> Events:
        """Return what happened to the job, in order; iterating ends when the job is done."""
        events = self._job.events(since=since, follow=follow, items=items)
        return events.with_tasks(self._tasks)

    async def report(self, output: str | os.PathLike[str] | None = None) -> str:
        """Return a report on the job as one HTML page that loads nothing, and write it to ``output``, if given."""
        return await self._tasks.call(self._job.report, output)

    async def cancel(
        self,
        *,
        now: bool = False,
        reason: str = "",
        state: Texts = None,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
    ) -> CancelledBlock:
        """End the job, or only the selected items of it; returns when they have ended."""
        return await self._tasks.call(
            self._job.cancel,
            now=now,
            reason=reason,
            state=state,
            cause=cause,
            where=where,
            items=items,
        )

    async def pause(self, *, reason: str = "") -> PausedJobBlock:
        """Start no more items; running ones finish. ``status`` and ``explain`` show the reason. Raises NotFound."""
        return await self._tasks.call(self._job.pause, reason=reason)

    async def resume(self) -> PausedJobBlock:
        """Continue a paused or held job. Raises NotFound."""
        return await self._tasks.call(self._job.resume)

    async def set(self, **settings: Unpack[SetOptions]) -> SetDocument:
        """Change rules of a job that is not done, as ``jobctl set``; ``"none"`` takes a limit away."""
        return await self._tasks.call(self._job.set, **settings)

    @overload
    async def retry(
        self,
        command: Command | None = None,
        *,
        as_new: Literal[False] = False,
        dry_run: bool = False,
        state: Texts = None,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
        unknown: bool = False,
        undone: bool = False,
        **options: Unpack[RoundOptions],
    ) -> RetriedBlock: ...

    @overload
    async def retry(
        self,
        command: Command | None = None,
        *,
        as_new: Literal[True],
        dry_run: Literal[False] = False,
        state: Texts = None,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
        unknown: bool = False,
        undone: bool = False,
        **options: Unpack[CopyOptions],
    ) -> AsyncJob: ...

    @overload
    async def retry(
        self,
        command: Command | None = None,
        *,
        as_new: Literal[True],
        dry_run: Literal[True],
        state: Texts = None,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
        unknown: bool = False,
        undone: bool = False,
        **options: Unpack[CopyOptions],
    ) -> PreviewDocument: ...

    async def retry(
        self,
        command: Command | None = None,
        *,
        as_new: bool = False,
        dry_run: bool = False,
        state: Texts = None,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
        unknown: bool = False,
        undone: bool = False,
        **options: Any,
    ) -> RetriedBlock | AsyncJob | PreviewDocument:
        """Run the items that did not succeed again, as the next round of the job, or as a new job (``as_new``)."""
        found = await self._tasks.call(
            self._job.retry,
            command,
            as_new=as_new,
            dry_run=dry_run,
            state=state,
            cause=cause,
            where=where,
            items=items,
            unknown=unknown,
            undone=undone,
            **options,
        )
        return self._of._asynchronous(found)  # type: ignore[no-any-return]

    async def undo(
        self,
        command: Command | None = None,
        *,
        shell: str | None = None,
        call: Function | None = None,
        state: Texts = None,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
        unknown: bool = False,
        **options: Unpack[RoundOptions],
    ) -> AsyncJob:
        """Take back the rows that succeeded, the newest first; returns the undo job."""
        found = await self._tasks.call(
            self._job.undo,
            command,
            shell=shell,
            call=call,
            state=state,
            cause=cause,
            where=where,
            items=items,
            unknown=unknown,
            **options,
        )
        return self._of._asynchronous(found)  # type: ignore[no-any-return]


class AsyncStore(AsyncStoreBase[AsyncJob]):
    """A store of jobs, for asyncio. Its methods and their parameters are those of ``jobctl.Store``."""

    _kind = AsyncJob

    async def recipe(
        self,
        recipe_name: str,
        /,
        file: File | None = None,
        *,
        rows: Rows | None = None,
        **options: Unpack[SubmitOptions],
    ) -> AsyncJob:
        """Accept rows as a job with the command and the options of a recipe; options given here win."""
        found = await self._tasks.call(self._store.recipe, recipe_name, file, rows=rows, **options)
        return self._asynchronous(found)  # type: ignore[no-any-return]

    async def job(self, name: int | str) -> AsyncJob:
        """Return a job by its number, by its name (the newest one), or ``"last"``. Raises NotFound, UsageError."""
        found = await self._tasks.call(self._store.job, name)
        return self._asynchronous(found)  # type: ignore[no-any-return]

    async def status(
        self,
        *,
        state: Texts = None,
        name: str | None = None,
        label: Mapping[str, str] | Texts = None,
        queue: str | None = None,
        since: Moment | None = None,
        sort: str | None = None,
        limit: int | None = None,
        all: bool = False,
    ) -> StatusListDocument:
        """Return the list of jobs with everything about each, as ``jobctl status --json``."""
        return await self._tasks.call(
            self._store.status,
            state=state,
            name=name,
            label=label,
            queue=queue,
            since=since,
            sort=sort,
            limit=limit,
            all=all,
        )

    async def jobs(
        self,
        *,
        state: Texts = None,
        name: str | None = None,
        label: Mapping[str, str] | Texts = None,
        queue: str | None = None,
        since: Moment | None = None,
        sort: str | None = None,
        limit: int | None = None,
        all: bool = False,
    ) -> list[AsyncJob]:
        """Return the jobs that meet conditions, those of ``status``. Raises UsageError, NotFound."""
        found = await self._tasks.call(
            self._store.jobs,
            state=state,
            name=name,
            label=label,
            queue=queue,
            since=since,
            sort=sort,
            limit=limit,
            all=all,
        )
        return self._asynchronous(found)  # type: ignore[no-any-return]

    def events(
        self,
        *jobs: int | str | AsyncJob,
        since: int | Moment | None = None,
        follow: bool = False,
        items: bool = False,
        name: str | None = None,
        label: Mapping[str, str] | Texts = None,
        queue: str | None = None,
    ) -> Events:
        """Return what happened in the store, in order: all of it, or what happened to some jobs."""
        events = self._store.events(
            *map(plain, jobs),
            since=since,
            follow=follow,
            items=items,
            name=name,
            label=label,
            queue=queue,
        )
        return events.with_tasks(self._tasks)

    async def prune(
        self,
        *jobs: int | str | AsyncJob,
        older_than: Duration | None = None,
        keep_failed: bool = False,
        include_failed: bool = False,
        undelivered: bool = False,
        dry_run: bool = False,
        state: Texts = None,
        name: str | None = None,
        label: Mapping[str, str] | Texts = None,
        queue: str | None = None,
        since: Moment | None = None,
        all: bool = False,
    ) -> PruneDocument:
        """Remove finished jobs with their rows, logs and result files; returns what was removed and what was kept."""
        return await self._tasks.call(
            self._store.prune,
            *map(plain, jobs),
            older_than=older_than,
            keep_failed=keep_failed,
            include_failed=include_failed,
            undelivered=undelivered,
            dry_run=dry_run,
            state=state,
            name=name,
            label=label,
            queue=queue,
            since=since,
            all=all,
        )

    async def daemon(self) -> DaemonDocument:
        """Return the state of the daemon, as ``jobctl daemon status --json``."""
        return await self._tasks.call(self._store.daemon)
