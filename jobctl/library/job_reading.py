"""What a program can ask about a job."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args, overload

from jobctl.errors import JobctlError, NotFound, UsageError
from jobctl.library.given import text_of
from jobctl.library.records import wrap
from jobctl.library.selecting import Numbers, Texts, event_id, selection
from jobctl.library.store_in_hints import hints_name_the_store
from jobctl.process import moment

if TYPE_CHECKING:
    from jobctl import Store
    from jobctl.domain.selection import Selection
    from jobctl.library.documents import (
        CausesDocument,
        ExplainDocument,
        ItemBlock,
        OutputDocument,
        OutputPieceDocument,
        ResultsDocument,
        StatusDocument,
    )
    from jobctl.library.events import Events
    from jobctl.library.options import Duration, Moment
    from jobctl.library.progress import Progress
    from jobctl.library.result_file import ResultFile
    from jobctl.services.output.log_documents import Outputs
    from jobctl.services.output.logs import Choice

#: Items that are read at once.
_PAGE = 1_000
Stream: TypeAlias = Literal["stdout", "stderr"]
Kind: TypeAlias = Literal["succeeded", "failed", "unprocessed", "rejected", "undone"]
_STREAMS: dict[str | None, tuple[str, ...]] = {None: ("out", "err"), "stdout": ("out",), "stderr": ("err",)}


@hints_name_the_store
class JobReading:
    """The part of ``Job`` that changes nothing."""

    def __init__(self, store: Store, number: int) -> None:
        self._store = store
        #: The number of the job.
        self.id: int = number

    @property
    def _program(self) -> str:
        return self._store.program

    def status(self) -> StatusDocument:
        """Return everything about the job, as ``jobctl status --json``. Raises NotFound if it was removed.

        Times are texts (ISO 8601, UTC), names that end in ``_s`` are seconds.

        >>> job.status().counts.succeeded
        1
        """
        from jobctl.library.documents import StatusDocument
        from jobctl.services.status.document import status_of

        found = status_of(self._store.place, [str(self.id)], moment.now(), program=self._store.program)
        return wrap(found[0], StatusDocument)

    def wait(self, timeout: Duration | None = None) -> StatusDocument:
        """Wait until the job is done, however it ends; returns its status then.

        ``timeout`` is in seconds, or a text such as ``"2h"``. Raises WaitTimeout after it; the job continues. Raises
        NotFound if the job is removed meanwhile. Without a daemon the wait has no end.

        >>> job.wait(timeout=60).state
        'partial'
        """
        from jobctl.domain.durations import option_duration
        from jobctl.services.daemon.wait import timeout_error, wait_for

        text = None if timeout is None else text_of("timeout", timeout)
        seconds = 0.0 if text == "0" else None if text is None else option_duration("--timeout", text)
        states = wait_for(self._store.place, [self.id], seconds, lambda _job, _state: None)
        error = timeout_error(self._store.place, states, text)
        if error is not None:
            raise error
        return self.status()

    def watch(self, progress: Progress = True) -> StatusDocument:
        """Show the job until it is done, whoever runs it; returns its status then.

        ``progress`` is that of ``Store.run``. Ctrl-C leaves, and the job continues. Raises NotFound.

        >>> job.watch(progress=None).state
        'partial'
        """
        from jobctl.library.foreground import watch_here

        watch_here(self._store.place, self.id, self._store.program, progress)
        return self.status()

    def _repr_html_(self) -> str | None:
        """The job as a table of a notebook; None for a job that cannot be read, which then shows its ``repr``."""
        from jobctl.render.report.panel import job_panel
        from jobctl.services.status.document import status_of

        with contextlib.suppress(JobctlError):
            return job_panel(status_of(self._store.place, [str(self.id)], moment.now(), program=self._store.program)[0])
        return None

    def items(
        self,
        *,
        state: Texts = None,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
        after: int = 0,
        limit: int = 0,
    ) -> Iterator[ItemBlock]:
        """Yield the items in their order, page by page, so that millions need no memory.

        ``state`` and ``cause`` take one text or several, ``where`` a condition on the columns of the row and of the
        outcome, ``items`` numbers: 17, ``"1-100,500"`` or ``range(1, 101)``. ``after`` leaves out the items up to this
        number, ``limit`` ends after this many; 0 means all. Raises UsageError at once, NotFound.

        >>> [(item.item, item.code) for item in job.items(state="failed")]
        [(2, 'exit_1')]
        """
        if after < 0 or limit < 0:
            raise UsageError("after and limit: a number is negative", hint="limit=0 gives all items")
        chosen = selection(state=state, cause=cause, where=where, items=items)
        return self._pages(chosen, after, limit)

    def _pages(self, chosen: Selection, after: int, limit: int) -> Iterator[ItemBlock]:
        """Each page has a connection of its own, so that the iterator may go from one thread to another."""
        from jobctl.library.documents import ItemBlock
        from jobctl.services.output.items import Listing

        left = limit or None
        at: int | None = after
        while at is not None:
            size = _PAGE if left is None else min(left, _PAGE)
            with Listing(self._store.place, str(self.id), chosen, at, size, now=moment.now()) as listing:
                page = [item for found in listing.pages() for item in found]
            yield from (wrap(item, ItemBlock) for item in page)
            left = None if left is None else left - len(page)
            at = listing.next if left != 0 else None

    def item(self, number: int) -> ItemBlock:
        """Return one item: its state, its row, its outcome. Raises NotFound.

        >>> job.item(2).exit_code
        1
        """
        found = next(self.items(items=number, limit=1), None)
        if found is None:
            raise NotFound(f"job {self.id} has no item {number}", hint=f"jobctl items {self.id}")
        return found

    def results(
        self,
        kind: Kind,
        *,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
    ) -> ResultFile:
        """Return the result file of the rows that ended in one way; iterate it for its rows.

        ``"rejected"`` are rows that were not accepted, ``"undone"`` rows that were taken back. ``cause``, ``where`` and
        ``items`` select rows of the file. Raises NotFound while the job is not done, and for a kind that it
        has not; UsageError.

        >>> [row["id"] for row in job.results("succeeded")]
        [1]
        """
        from jobctl.library.result_file import ResultFile
        from jobctl.services.output.results import results_of

        if kind not in get_args(Kind):
            raise UsageError(f"there are no results of the kind {kind!r}", hint=f"one of {', '.join(get_args(Kind))}")
        is_state = kind not in ("rejected", "undone")
        chosen = selection(state=kind if is_state else None, cause=cause, where=where, items=items)
        found = results_of(
            self._store.place,
            str(self.id),
            chosen,
            rejected=kind == "rejected",
            undone=kind == "undone",
            now=moment.now(),
        )
        return ResultFile(self._store.place, found)

    def result_files(self) -> ResultsDocument:
        """Return all result files with their paths and numbers of rows. Raises NotFound while the job is not done.

        >>> {file.kind: file.rows for file in job.result_files().files}
        {'succeeded': 1, 'failed': 1, 'unprocessed': 0}
        """
        from jobctl.library.documents import ResultsDocument
        from jobctl.services.output.results import results_of

        found = results_of(self._store.place, str(self.id), selection(), rejected=False, now=moment.now())
        return wrap(found.document(), ResultsDocument)

    @overload
    def logs(
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
    ) -> Iterator[OutputDocument]: ...

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
    ) -> Iterator[OutputDocument]: ...

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
    ) -> OutputDocument | Iterator[OutputDocument]:
        """Return the output of one item, or yield that of all selected items that have run, in their order.

        ``stdout`` and ``stderr`` of the result are texts, None where the output was removed or the item has not run.
        ``stream`` takes one of them. ``attempt`` is a number or ``"all"``, by default the latest. ``tail`` takes the
        last lines of each stream, ``since`` only what ran since a time. Raises NotFound, UsageError.

        >>> job.logs(1).stdout
        ''
        """
        from jobctl.services.output.logs import Choice

        now = moment.now()
        number = None if attempt == "all" else attempt
        choice = Choice(selection(), number, attempt == "all", tail, self._since(since, now), now)
        streams = _streams(stream)
        if item is not None and attempt != "all":
            return self._log_of(item, choice, streams)
        chosen = selection(state=state, cause=cause, where=where, items=items if item is None else item)
        return self._logs_of(chosen, choice, streams)

    @staticmethod
    def _since(since: Moment | None, now: int) -> int | None:
        if since is None:
            return None
        from jobctl.domain.times import parse_since

        return parse_since(text_of("since", since), now)

    def _log_of(self, item: int, choice: Choice, streams: tuple[str, ...]) -> OutputDocument:
        from jobctl.library.documents import OutputDocument

        with self._outputs(f"{self.id}.{item}", choice, streams) as outputs:
            return wrap(outputs.document(), OutputDocument)

    def _logs_of(self, chosen: Selection, choice: Choice, streams: tuple[str, ...]) -> Iterator[OutputDocument]:
        """Each item has a connection of its own, so that the iterator may go from one thread to another."""
        from jobctl.library.documents import OutputDocument

        for block in self._pages(chosen, 0, 0):
            try:
                with self._outputs(f"{self.id}.{block.item}", choice, streams) as outputs:
                    documents = list(outputs.documents())
            except NotFound:
                if choice.attempt is None:  # else this item has no such attempt
                    raise
                continue
            yield from (wrap(document, OutputDocument) for document in documents)

    def _outputs(self, text: str, choice: Choice, streams: tuple[str, ...]) -> Outputs:
        from jobctl.services.output.log_documents import Outputs

        return Outputs(self._store.place, [text], choice, streams, any_thread=True)

    def follow_logs(
        self, item: int | None = None, *, stream: Stream | None = None, tail: int | None = None
    ) -> Iterator[OutputPieceDocument]:
        """Yield output as it is written, of one item or of all, until the item or the job is done.

        ``stream``, ``tail`` and the errors are those of ``logs``.

        >>> "".join(piece.text or "" for piece in job.follow_logs(1))
        ''
        """
        return self._follow_logs(item, stream, tail, None)

    def _follow_logs(
        self, item: int | None, stream: Stream | None, tail: int | None, stop: int | None
    ) -> Iterator[OutputPieceDocument]:
        """The same, until the descriptor ``stop`` becomes readable."""
        from jobctl.library.documents import OutputPieceDocument
        from jobctl.services.output.log_documents import Pieces
        from jobctl.services.output.logs import Choice

        choice, streams = Choice(selection(), tail=tail, now=moment.now()), _streams(stream)
        text = str(self.id) if item is None else f"{self.id}.{item}"
        with self._outputs(text, choice, streams) as outputs:
            pieces = Pieces(self.id)
            for event in outputs.follower(stop).events():
                yield from (wrap(document, OutputPieceDocument) for document in pieces.of(event))

    def causes(
        self,
        *,
        cause: Texts = None,
        where: str | None = None,
        items: Numbers = None,
        sort: Literal["items", "first", "last"] = "items",
        limit: int = 0,
    ) -> CausesDocument:
        """Return the causes of failure with the messages of some items. Raises UsageError, NotFound.

        >>> [(cause.code, cause["items"]) for cause in job.causes().causes]
        [('exit_1', 1)]
        """
        from jobctl.library.documents import CausesDocument
        from jobctl.services.causes import Wanted, causes_of, parse_sort

        wanted = Wanted(parse_sort(sort), limit, selection(cause=cause, where=where, items=items), moment.now())
        return wrap(causes_of(self._store.place, str(self.id), wanted, program=self._store.program), CausesDocument)

    def explain(self, item: int | None = None) -> ExplainDocument:
        """Return why the job, or one of its items, is in its state, and what has happened to it. Raises NotFound.

        >>> job.explain(2).item
        2
        """
        from jobctl.library.documents import ExplainDocument
        from jobctl.services.why.explain import explain_target

        text = str(self.id) if item is None else f"{self.id}.{item}"
        found = explain_target(self._store.place, text, moment.now(), program=self._store.program)
        return wrap(found, ExplainDocument)

    def events(self, *, since: int | Moment | None = None, follow: bool = True, items: bool = False) -> Events:
        """Return what happened to the job, in order; iterating ends when the job is done.

        ``items`` also gives the outcome of each attempt. ``since`` is the id of the last event that is known, or a
        time. ``follow=False`` ends after the events so far. Raises NotFound, and UsageError for an id of another store.

        >>> [event.type for event in job.events()][:2]
        ['job.submitted', 'job.started']
        """
        from jobctl.library.events import Events
        from jobctl.services.control.targets import job_of
        from jobctl.services.events import WantedEvents

        job_of(self._store.place, str(self.id))
        first = event_id(self._store.place, since)
        return Events(self._store.place, WantedEvents(frozenset({self.id}), items=items), first, follow=follow)

    def report(self, output: str | os.PathLike[str] | None = None) -> str:
        """Return a report on the job as one HTML page that loads nothing, and write it to ``output``, if given.

        Raises NotFound, UsageError for a folder, HomeError.

        >>> job.report().startswith("<!DOCTYPE html>")
        True
        """
        from pathlib import Path

        from jobctl.render.report.page import report_page
        from jobctl.services.output.report import report_of, write_report

        page = report_page(report_of(self._store.place, self.id, moment.now(), program=self._store.program))
        if output is not None:
            write_report(self.id, page, Path(output))
        return page


def _streams(stream: Stream | None) -> tuple[str, ...]:
    if stream not in _STREAMS:
        raise UsageError(f"stream={stream!r} is not known", hint='"stdout" or "stderr"; without it you get both')
    return _STREAMS[stream]
