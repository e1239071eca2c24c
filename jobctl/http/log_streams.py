"""The output of an item as a stream, while the item writes it. Each stream has a thread, so their number is bounded."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import threading
from collections.abc import AsyncIterator
from typing import NamedTuple

from sse_starlette import ServerSentEvent

from jobctl.config import Home
from jobctl.domain.states import TERMINAL_ITEM_STATES
from jobctl.errors import JobctlError, NotFound
from jobctl.http.answers import encoded
from jobctl.http.problems import Refused
from jobctl.http.server import Server
from jobctl.http.streams import Sent
from jobctl.process.stop_pipe import StopPipe
from jobctl.services.output.follow import Follower, FollowTarget
from jobctl.services.output.logs import piece
from jobctl.store import sqlite
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import items as item_views
from jobctl.store.views.items import AttemptView

#: The most streams at the same time.
MOST = 50
#: Seconds after which a client may try again when there are that many.
RETRY_S = 5
#: The most pieces that wait for a client; then the thread waits for it.
_QUEUE = 8


class LogPlace(NamedTuple):
    """The output that a client wants."""

    job: int
    item: int
    stream: str  # out or err
    attempt: int | None = None  # None: every attempt, from the one in ``begin``
    begin: tuple[int, int] | None = None  # this attempt, 0 for the latest, after this number of bytes


class LogStreams:
    """The streams of a server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._open: set[_Following] = set()

    def check(self) -> None:
        """Raises Refused (503) if there are too many."""
        if len(self._open) >= MOST:
            headers = {"Retry-After": str(RETRY_S)}
            detail = f"{MOST} outputs are followed at the same time, which is the most"
            raise Refused(503, detail, code="busy", headers=headers)

    async def pieces(self, place: LogPlace) -> AsyncIterator[Sent]:
        """Yield output as it is written, until the attempt or the item is over, or the server stops."""
        if len(self._open) >= MOST:  # several have asked at the same moment: the client tries again
            return
        following = _Following(self._server, place)
        self._open.add(following)
        stopping = asyncio.ensure_future(self._server.stopping.wait())
        try:
            while True:
                piece = asyncio.ensure_future(following.next())
                done, _ = await asyncio.wait((piece, stopping), return_when=asyncio.FIRST_COMPLETED)
                if piece not in done or (body := piece.result()) is None:
                    piece.cancel()
                    return
                yield body
        finally:
            stopping.cancel()
            self._end(following)

    def close(self) -> None:
        """End the threads of streams that the end of the event loop has left behind."""
        for following in list(self._open):
            self._end(following)

    def _end(self, following: _Following) -> None:
        if following in self._open:
            self._open.remove(following)
            following.stop()


def begin_of(text: str) -> tuple[int, int]:
    """The attempt and the offset in ``2:4096``; without an attempt it is 0."""
    attempt, _, offset = text.rpartition(":")
    return int(attempt or 0), int(offset)


def place_of(database: Database, home: Home, place: LogPlace) -> LogPlace | None:
    """Where a stream begins, with the number of the attempt; None if nothing follows for ever. Raises NotFound."""
    state = item_views.item_state(database, place.job, place.item)
    if state is None:
        raise NotFound(f"job {place.job} has no item {place.item}", hint=f"jobctl items {place.job}")
    views = {view.attempt: view for view in item_views.attempts(database, place.job, place.item)}
    begin = place.begin
    if begin is not None and not begin[0]:
        begin = (place.attempt or max(views, default=1), begin[1])
    elif begin is None and place.attempt is not None:
        begin = (place.attempt, 0)
    is_last = state[0] in TERMINAL_ITEM_STATES and (begin is None or begin[0] >= max(views, default=0))
    view = None if begin is None else views.get(begin[0])
    if begin is not None and (is_last or place.attempt == begin[0]) and _is_read(home, place, view, begin[1]):
        return None
    return place._replace(begin=begin)


def _is_read(home: Home, place: LogPlace, view: AttemptView | None, skip: int) -> bool:
    """Return whether an attempt has ended, and its output is not longer than this."""
    if view is None or view.ending is None:
        return False
    return skip > 0 and (piece(home, place.job, view, place.stream).length or 0) <= skip


class _Following:
    """The thread that reads the output, and the queue to the event loop."""

    def __init__(self, server: Server, place: LogPlace) -> None:
        self._server = server
        self._place = place
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        # Counted apart from the queue: the thread must not wait for a loop that ends before it makes room.
        self._room = threading.Semaphore(_QUEUE)
        self._stop = StopPipe()
        self._is_stopped = False
        threading.Thread(target=self._run, name="jobctl-output", daemon=True).start()

    def stop(self) -> None:
        """Let the thread end, wherever it is. Call it once."""
        self._is_stopped = True
        self._stop.stop()
        self._room.release()  # it may wait for room

    async def next(self) -> bytes | None:
        """Wait for the next piece; None after the last one."""
        body = await self._queue.get()
        self._room.release()
        return body

    def _run(self) -> None:
        try:
            with contextlib.suppress(JobctlError, sqlite.Error, OSError):  # a client that tries again learns why
                self._follow()
        finally:
            self._put(None)
            self._stop.close()

    def _follow(self) -> None:
        place = self._place
        target = FollowTarget(place.job, place.item, (place.stream,), begin=place.begin)
        decoding = _Decoding(place.begin)
        with contextlib.closing(open_database(self._server.home)) as database:
            for event in Follower(database, self._server.home, target, self._stop.reader).events():
                if place.attempt is not None and event.attempt > place.attempt:
                    return
                if not self._put(decoding.piece(event.attempt, event.data, is_over=event.over is not None)):
                    return
                if event.over is not None and event.attempt == place.attempt:
                    return

    def _put(self, body: bytes | None) -> bool:
        """Wait until the queue has room; False if nobody reads it any more."""
        self._room.acquire()
        if self._is_stopped:
            return False
        try:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, body)
        except RuntimeError:  # the loop has ended
            return False
        return True


class _Decoding:
    """Turns bytes of an output into text, and counts them, so that a client can resume between two characters."""

    def __init__(self, begin: tuple[int, int] | None) -> None:
        self._attempt, self._read = begin or (0, 0)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def piece(self, attempt: int, data: bytes, *, is_over: bool) -> bytes:
        """An event of the stream."""
        if attempt != self._attempt:
            self._attempt, self._read = attempt, 0
            self._decoder.reset()
        text = self._decoder.decode(data, is_over)
        self._read += len(data)
        offset = self._read - len(self._decoder.getstate()[0])
        document = {"attempt": attempt, "offset": offset, "text": text, "over": is_over}
        return ServerSentEvent(encoded(document).decode(), id=f"{attempt}:{offset}", sep="\n").encode()
