"""``jobctl logs --follow``: yield output while items write it, also of items that start and end meanwhile."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jobctl.config import Home
from jobctl.domain.states import TERMINAL_ITEM_STATES, TERMINAL_JOB_STATES
from jobctl.process import moment
from jobctl.process.stop_pipe import is_readable
from jobctl.process.this_process import actor
from jobctl.process.wakeup import wake
from jobctl.process.watch import UNWATCHED_WAIT_S, Watch
from jobctl.services.daemon.changes import StoreWatch
from jobctl.services.output.logs import CHUNK, STREAMS, Choice, Piece, is_cut, piece, read, tail
from jobctl.services.selection import SelectedItems
from jobctl.store import requests
from jobctl.store.database import Database
from jobctl.store.requests import Request
from jobctl.store.views import items as item_views
from jobctl.store.views import jobs as job_views
from jobctl.store.views.items import AttemptView

#: The most new attempts that one query reads.
PAGE = 500
#: Seconds after which everything is read again without an event.
LONGEST_NAP_S = 30.0
#: Seconds between two requests for output from other machines; the engine brings it here for a minute after each.
ASK_AGAIN_S = 20.0


class OutputEvent(NamedTuple):
    """Bytes that an attempt wrote, or the end of the attempt if ``over`` is set."""

    item: int
    attempt: int
    stream: str
    data: bytes
    over: AttemptView | None = None


@dataclass(slots=True)
class _Reader:
    """The position up to which each stream of one attempt was read."""

    at: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STREAMS, 0))


@dataclass(frozen=True, slots=True)
class FollowTarget:
    """The output to follow: of one item of a job, or of all items with numbers above ``after``."""

    job: int
    item: int | None = None
    streams: tuple[str, ...] = STREAMS
    after: int = 0
    choice: Choice = field(default_factory=Choice)  # its ``tail`` counts for what is there already, and its ``since``
    chosen: SelectedItems | None = None  # only these items of the job, whatever they do
    begin: tuple[int, int] | None = None  # of one item: this attempt after this number of bytes, and later attempts


class Follower:
    """Follows one item of a job, or all of them."""

    def __init__(self, database: Database, home: Home, wanted: FollowTarget, stop: int | None = None) -> None:
        """``stop`` is a descriptor that becomes readable when the reader of the output has gone."""
        job, item, streams = wanted.job, wanted.item, wanted.streams
        self._stop = () if stop is None else (stop,)
        self._database = database
        self._home = home
        self._job = job
        self._streams = streams
        self._item = item
        self._unfinished: dict[int, None] = {} if item is None else {item: None}  # items that may write more
        self._readers: dict[tuple[int, int], _Reader] = {}
        self._finished: dict[int, int] = {}  # the latest attempt of an item that was read to its end
        self._seen = wanted.after  # items with higher numbers have not been read
        self._is_elsewhere = False  # a running attempt writes on another machine
        self._asked_at = 0.0
        self._choice = wanted.choice
        self._chosen = wanted.chosen
        if item is not None and wanted.chosen is not None and not self._chosen_of([item], wanted.chosen):
            self._unfinished.clear()
        if item is not None and wanted.begin is not None:
            attempt, skip = wanted.begin
            self._finished[item] = attempt - 1
            self._readers[item, attempt] = _Reader(dict.fromkeys(STREAMS, skip))
        self._tail = wanted.choice.tail  # None after the first look: what is written from then on is shown in full

    def events(self) -> Iterator[OutputEvent]:
        """Yield the output so far, then more as it is written, until the item or the job is done. Raises NotFound."""
        with StoreWatch(self._database, self._home) as store, _LogWatch(self._home, self._job) as files:
            while True:
                # Before the read: otherwise output after the watch began, or the last output, could be missed.
                watch = files.ready()
                is_over = self._is_over()
                yield from self._read_all()
                self._tail = None
                if is_over:
                    return
                nap_s = LONGEST_NAP_S if watch is None or watch.fileno() >= 0 else UNWATCHED_WAIT_S
                if self._is_elsewhere:
                    nap_s = min(nap_s, self._request_output())
                store.wait(nap_s, (*self._stop, *(() if watch is None else (watch.fileno(),))))
                if any(map(is_readable, self._stop)):
                    return
                if watch is not None:
                    watch.drain()

    def _request_output(self) -> float:
        """Ask the engine for output from other machines, again before it stops bringing it.

        Returns the seconds until the next request is due.
        """
        now = time.monotonic()
        if now >= self._asked_at + ASK_AGAIN_S:
            self._asked_at = now
            with self._database.transaction():
                request = Request(self._job, self._item, requests.FOLLOW, False, actor(), "")
                requests.add(self._database, request, moment.now())
            wake(self._home.wake)
        return self._asked_at + ASK_AGAIN_S - now

    def _is_over(self) -> bool:
        if self._item is not None:
            state = item_views.item_state(self._database, self._job, self._item)
            return state is None or state[0] in TERMINAL_ITEM_STATES
        found = job_views.states(self._database, [self._job])
        return not found or found[self._job][0] in TERMINAL_JOB_STATES

    def _read_all(self) -> Iterator[OutputEvent]:
        for item in list(self._unfinished):
            yield from self._read_item(item)
        while self._item is None and (items := self._new_items()):
            for item in items if self._chosen is None else self._chosen_of(items, self._chosen):
                self._unfinished[item] = None
                yield from self._read_item(item)

    @staticmethod
    def _chosen_of(items: Sequence[int], chosen: SelectedItems) -> list[int]:
        found = set(chosen.numbers(items[0] - 1, items[-1]))
        return [item for item in items if item in found]

    def _new_items(self) -> list[int]:
        """Return the next items that have begun. Items begin in order, so only numbers above ``_seen`` are new."""
        page = item_views.attempts_after(self._database, self._job, (self._seen, 1 << 62), PAGE)
        if not page:
            return []
        first, self._seen = self._seen + 1, page[-1].item
        begun = {attempt.item for attempt in page}
        if self._seen - first >= 10 * PAGE:  # a cancelled job has gaps of items that never run
            return sorted(begun)
        return list(range(first, self._seen + 1))

    def _read_item(self, item: int) -> Iterator[OutputEvent]:
        state = item_views.item_state(self._database, self._job, item)
        for attempt in item_views.attempts(self._database, self._job, item):
            if attempt.attempt > self._finished.get(item, 0) and self._choice.has(attempt):
                yield from self._read_attempt(attempt)
        if state is None or state[0] in TERMINAL_ITEM_STATES:
            self._unfinished.pop(item, None)
            self._finished.pop(item, None)

    def _read_attempt(self, attempt: AttemptView) -> Iterator[OutputEvent]:
        key, is_live = (attempt.item, attempt.attempt), attempt.ending is None
        self._is_elsewhere |= is_live and attempt.host is not None
        is_new = key not in self._readers
        reader = self._readers.setdefault(key, _Reader())
        pieces = {stream: piece(self._home, self._job, attempt, stream) for stream in self._streams}
        if is_new and self._tail is not None:
            reader.at |= {stream: tail(where, self._tail) for stream, where in pieces.items()}
        for stream in _by_last_write(pieces) if is_live else pieces:
            where, skip = pieces[stream], reader.at[stream]
            is_cut_off = not is_new and bool(skip) and is_cut(attempt)
            for data in _live_chunks(where, skip, _writer(attempt)) if is_live else _rest(where, skip, is_cut_off):
                reader.at[stream] += len(data)
                yield OutputEvent(*key, stream, data)
        if not is_live:
            self._finished[attempt.item] = attempt.attempt
            del self._readers[key]
            yield OutputEvent(*key, "", b"", attempt)


def _by_last_write(pieces: Mapping[str, Piece]) -> list[str]:
    """Return the streams in the order of their last writes, the only order between two files that is known.

    A line on standard error just before the last lines of standard output is shown before them.
    """
    return sorted(pieces, key=lambda stream: _written_at(pieces[stream]))


def _written_at(where: Piece) -> int:
    try:
        return os.stat(where.path, follow_symlinks=False).st_mtime_ns
    except OSError:
        return 0


def _rest(where: Piece, skip: int, is_cut_off: bool) -> Iterator[bytes]:
    """Yield what an attempt that has ended wrote after ``skip`` bytes; a sentence if the cap has moved the rest."""
    if is_cut_off:
        yield b"\n[jobctl: more was written than is kept; see it with jobctl logs]\n"
        return
    try:
        yield from read(where, skip)
    except FileNotFoundError:  # pruned meanwhile
        return


def _live_chunks(where: Piece, skip: int, pid: int) -> Iterator[bytes]:
    """Yield new output of a running attempt.

    The next item of the slot uses the same file, so bytes count only if the process still exists after the read. If it
    does not, the final record of the attempt soon says where its output is.
    """
    try:
        for data in read(where, skip):
            if not _exists(pid):
                return
            yield data
            if len(data) < CHUNK:
                return
    except FileNotFoundError:
        return


def _writer(attempt: AttemptView) -> int:
    """The process that must exist while the file belongs to the attempt.

    Output from another machine has a file of its own, so the check uses this process, which exists.
    """
    return os.getpid() if attempt.host is not None else attempt.pid


def _exists(pid: int) -> bool:
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class _LogWatch:
    """Watches the folder with the output of a job, once it exists."""

    def __init__(self, home: Home, job: int) -> None:
        self._folder = home.job_logs(job)
        self._watch: Watch | None = None

    def __enter__(self) -> _LogWatch:
        return self

    def __exit__(self, *_: object) -> None:
        if self._watch is not None:
            self._watch.close()

    def ready(self) -> Watch | None:
        """Return the watch; None while the folder does not exist."""
        if self._watch is None and self._folder.is_dir():
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile, with its job
                self._watch = Watch(self._folder, ())
        return self._watch
