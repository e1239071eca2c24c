"""Following what items write while they run, and what those write that come and go in between."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from jobctl.config import Home
from jobctl.domain.states import TERMINAL_ITEM_STATES, TERMINAL_JOB_STATES
from jobctl.process import moment
from jobctl.process.this_process import actor
from jobctl.process.wakeup import wake
from jobctl.process.watch import BLIND_S, Watch
from jobctl.services.daemon.changes import StoreWatch
from jobctl.services.output.logs import CHUNK, STREAMS, Piece, is_cut, piece, read
from jobctl.store import requests
from jobctl.store.database import Database
from jobctl.store.requests import Request
from jobctl.store.views import items as item_views
from jobctl.store.views import jobs as job_views
from jobctl.store.views.items import AttemptView

#: New items taken in at one look.
PAGE = 500
#: Looked at again after this long although nothing was heard.
LONGEST_NAP_S = 30.0
#: What runs elsewhere is brought here for a minute after it was asked for.
ASK_AGAIN_S = 20.0


class OutputEvent(NamedTuple):
    """Bytes that an attempt wrote, or with ``over`` the news that it ended."""

    item: int
    attempt: int
    stream: str
    data: bytes
    over: AttemptView | None = None


@dataclass(slots=True)
class _Reader:
    """How far the streams of one attempt have been read."""

    at: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STREAMS, 0))


@dataclass(frozen=True, slots=True)
class FollowTarget:
    """What is followed: one item of a job, or all of them above number ``after``."""

    job: int
    item: int | None = None
    streams: tuple[str, ...] = STREAMS
    after: int = 0


class Follower:
    """Follows one item of a job, or all of them."""

    def __init__(self, database: Database, home: Home, wanted: FollowTarget, stop: int | None = None) -> None:
        """With ``stop``, a descriptor that becomes readable when nobody reads any more."""
        job, item, streams = wanted.job, wanted.item, wanted.streams
        self._stop = () if stop is None else (stop,)
        self._database = database
        self._home = home
        self._job = job
        self._streams = streams
        self._only = item
        self._open: dict[int, None] = {} if item is None else {item: None}  # items with more to come
        self._readers: dict[tuple[int, int], _Reader] = {}
        self._finished: dict[int, int] = {}  # of an open item, the latest attempt shown to its end
        self._seen = wanted.after  # items above it have not been looked at
        self._is_elsewhere = False  # something that runs writes on another machine
        self._asked_at = 0.0

    def events(self) -> Iterator[OutputEvent]:
        """Output that was written, then output as it is written, until the item or the job is done."""
        with StoreWatch(self._database, self._home) as store, _LogWatch(self._home, self._job) as files:
            while True:
                # Both before reading, so that no output is missed: neither the last one nor one after the watch began.
                watch = files.ready()
                is_over = self._is_over()
                yield from self._look()
                if is_over:
                    return
                nap_s = LONGEST_NAP_S if watch is None or watch.fileno() >= 0 else BLIND_S
                if self._is_elsewhere:
                    nap_s = min(nap_s, self._request_output())
                store.wait(nap_s, (*self._stop, *(() if watch is None else (watch.fileno(),))))
                if self._stop and select.select(self._stop, (), (), 0)[0]:
                    return
                if watch is not None:
                    watch.drain()

    def _request_output(self) -> float:
        """Ask the engine to bring output from other machines here, and again before it stops; returns the seconds until
        the next request."""
        now = time.monotonic()
        if now >= self._asked_at + ASK_AGAIN_S:
            self._asked_at = now
            with self._database.transaction():
                request = Request(self._job, self._only, requests.FOLLOW, False, actor(), "")
                requests.add(self._database, request, moment.now())
            wake(self._home.wake)
        return self._asked_at + ASK_AGAIN_S - now

    def _is_over(self) -> bool:
        if self._only is not None:
            state = item_views.item_state(self._database, self._job, self._only)
            return state is None or state[0] in TERMINAL_ITEM_STATES
        found = job_views.states(self._database, [self._job])
        return not found or found[self._job][0] in TERMINAL_JOB_STATES

    def _look(self) -> Iterator[OutputEvent]:
        for item in list(self._open):
            yield from self._look_at(item)
        while self._only is None and (items := self._new_items()):
            for item in items:
                self._open[item] = None
                yield from self._look_at(item)

    def _new_items(self) -> list[int]:
        """The next items that were begun. They begin in order, so none below ``_seen`` is new but in ``_open``."""
        page = item_views.attempts_after(self._database, self._job, (self._seen, 1 << 62), PAGE)
        if not page:
            return []
        first, self._seen = self._seen + 1, page[-1].item
        begun = {attempt.item for attempt in page}
        if self._seen - first >= 10 * PAGE:  # a job that was cancelled has holes that nothing will fill
            return sorted(begun)
        return list(range(first, self._seen + 1))

    def _look_at(self, item: int) -> Iterator[OutputEvent]:
        state = item_views.item_state(self._database, self._job, item)
        for attempt in item_views.attempts(self._database, self._job, item):
            if attempt.attempt > self._finished.get(item, 0):
                yield from self._advance(attempt)
        if state is None or state[0] in TERMINAL_ITEM_STATES:
            self._open.pop(item, None)
            self._finished.pop(item, None)

    def _advance(self, attempt: AttemptView) -> Iterator[OutputEvent]:
        key, is_live = (attempt.item, attempt.attempt), attempt.ending is None
        self._is_elsewhere |= is_live and attempt.host is not None
        reader = self._readers.setdefault(key, _Reader())
        for stream in self._streams:
            where = piece(self._home, self._job, attempt, stream)
            skip = reader.at[stream]
            for data in _live_chunks(where, skip, _writer(attempt)) if is_live else _final_chunks(where, skip, attempt):
                reader.at[stream] += len(data)
                yield OutputEvent(*key, stream, data)
        if not is_live:
            self._finished[attempt.item] = attempt.attempt
            del self._readers[key]
            yield OutputEvent(*key, "", b"", attempt)


def _final_chunks(where: Piece, skip: int, attempt: AttemptView) -> Iterator[bytes]:
    if skip and is_cut(attempt):
        yield b"\n[jobctl: more was written than is kept; see it with jobctl logs]\n"
        return
    try:
        yield from read(where, skip)
    except FileNotFoundError:  # pruned meanwhile
        return


def _live_chunks(where: Piece, skip: int, pid: int) -> Iterator[bytes]:
    """What a running attempt has written since. Its file is used again by the next item of its slot, so what was
    read counts only if the process still exists after the reading; else the final record, soon written, tells."""
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
    """The process whose life says that its file is still its own; what was brought here is nobody else's anyway."""
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
    """Watches the log directory of a job, from when there is one."""

    def __init__(self, home: Home, job: int) -> None:
        self._folder = home.job_logs(job)
        self._watch: Watch | None = None

    def __enter__(self) -> _LogWatch:
        return self

    def __exit__(self, *_: object) -> None:
        if self._watch is not None:
            self._watch.close()

    def ready(self) -> Watch | None:
        """The watch; None while there is nothing to watch."""
        if self._watch is None and self._folder.is_dir():
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile, with its job
                self._watch = Watch(self._folder, ())
        return self._watch
