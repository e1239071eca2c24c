"""Events for many clients: each change of the store is read and encoded once, and all who wait for it get these bytes.

A client that is behind what a feed keeps reads the store by itself, page by page, until it has caught up. So a slow
client costs no memory, and a thousand clients of one job cost one read for each change.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from sse_starlette import ServerSentEvent
from starlette.requests import HTTPConnection

from jobctl.domain.states import TERMINAL_JOB_STATES
from jobctl.errors import JobctlError, NotFound
from jobctl.http.access import Caller, job_of
from jobctl.http.answers import encoded
from jobctl.http.server import Server
from jobctl.http.streams import Sent
from jobctl.services.events import PAGE, EventReader, WantedEvents
from jobctl.store import event_ids, sqlite
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.views import jobs as job_views

if TYPE_CHECKING:
    from jobctl.domain.documents.event import EventDocument

#: The most bytes that a feed keeps for clients that are a little behind.
KEPT_BYTES = 1 << 18
#: The most pages that are read at once for all feeds, so that a burst of events does not delay those before it.
_PAGES = 10


class Selection(NamedTuple):
    """The events that a client wants."""

    job: int | None = None  # None: of all jobs that the viewer may see, and of queues and the store
    items: bool = False  # also the outcome of each attempt
    viewer: Caller | None = None  # None: it may see all of them

    def wanted(self, database: Database) -> WantedEvents:
        """The same for a reader with this connection."""
        jobs = None if self.job is None else frozenset((self.job,))
        return WantedEvents(jobs, items=self.items, sees=self._sees(database))

    def _sees(self, database: Database) -> Callable[[int], bool] | None:
        viewer = self.viewer
        if viewer is None:
            return None

        def sees(job: int) -> bool:
            try:
                return job > 0 and job_of(database, viewer, str(job)) == job
            except NotFound:
                return False

        return sees


class Piece(NamedTuple):
    """An event as a stream carries it."""

    id: int
    body: bytes


class Page(NamedTuple):
    """Events that follow an id."""

    pieces: list[Piece]
    body: bytes  # all of them; clients share these bytes
    position: int  # all events up to this id were read
    is_over: bool = False  # the job is done, and nothing follows


def _page(pieces: list[Piece], position: int, is_over: bool = False) -> Page:
    return Page(pieces, b"".join(piece.body for piece in pieces), position, is_over)


class Feed:
    """The latest events of a selection."""

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self.clients = 0
        #: All events after this id are here; None until the first look at the store.
        self.floor: int | None = None
        self.is_over = False
        self.is_broken = False
        self.arrived = asyncio.Event()
        self._chunks: deque[Page] = deque()
        self._size = 0

    def after(self, position: int) -> Page | None:
        """What has arrived after an id; None if the feed does not keep all of it."""
        if self.floor is None or position < self.floor:
            return None
        chunks = [chunk for chunk in self._chunks if chunk.position > position]
        if not chunks:
            return Page([], b"", position, self.is_over)
        if len(chunks) == 1 and chunks[0].pieces[0].id > position:
            return chunks[0]
        pieces = [piece for chunk in chunks for piece in chunk.pieces if piece.id > position]
        return _page(pieces, chunks[-1].position)

    def add(self, page: Page) -> None:
        """Keep events, and forget the oldest ones if they are too many."""
        if page.pieces:
            self._chunks.append(page._replace(is_over=False))
            self._size += len(page.body)
        while self._size > KEPT_BYTES and len(self._chunks) > 1:
            oldest = self._chunks.popleft()
            self._size -= len(oldest.body)
            self.floor = oldest.position

    def wake(self) -> None:
        """Let the clients look."""
        arrived, self.arrived = self.arrived, asyncio.Event()
        arrived.set()


class Feeds:
    """The feeds of a server. All methods belong to the event loop; the store is read in its threads."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._feeds: dict[Selection, Feed] = {}
        self._work: asyncio.Task[None] | None = None

    async def events(self, selection: Selection, position: int) -> AsyncIterator[Sent]:
        """Yield the events after an id, as they happen, each time those that there are.

        It ends when the job of the selection is done and nothing follows, when the server stops, and when the store is
        removed.
        """
        with self._feed(selection) as feed:
            while not (self._server.changes.is_closed or feed.is_broken):
                arrived = feed.arrived
                page = feed.after(position)
                is_behind = page is None
                if page is None:
                    page = await self._server.call(read_page, self._server, selection, position)
                position = page.position
                if page.pieces:
                    yield page.body
                elif page.is_over:
                    return
                elif not is_behind or feed.floor is None:
                    await arrived.wait()

    @contextmanager
    def _feed(self, selection: Selection) -> Iterator[Feed]:
        feed = self._feeds.setdefault(selection, Feed(selection))
        feed.clients += 1
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._fill())
        try:
            yield feed
        finally:
            feed.clients -= 1
            if not feed.clients and self._feeds.get(selection) is feed:
                del self._feeds[selection]

    async def _fill(self) -> None:
        """Read every change of the store for all feeds, until nobody wants one."""
        try:
            async with self._server.changes.watched() as changes:
                source = await self._server.call(_Source, self._server)
                try:
                    while self._feeds and not changes.is_closed:
                        seen = changes.number
                        if not await self._fill_once(source):
                            await changes.after(seen)
                finally:
                    source.close()
        except (JobctlError, sqlite.Error, OSError):
            pass  # a client that tries again learns why
        finally:
            feeds, self._feeds = self._feeds, {}
            for feed in feeds.values():
                feed.is_broken = True
                feed.wake()

    async def _fill_once(self, source: _Source) -> bool:
        """Read what is new; returns whether more follows at once."""
        feeds = dict(self._feeds)
        fresh = [feed for feed in feeds.values() if feed.floor is None]
        for feed in fresh:
            feed.floor = source.position
        pages, has_more = await self._server.call(source.read, list(feeds))
        for selection, page in pages.items():
            feed = feeds[selection]
            feed.add(page)
            is_news = page.is_over and not feed.is_over
            feed.is_over = page.is_over
            if page.pieces or is_news or feed in fresh:
                feed.wake()
        return has_more


def feeds_of(request: HTTPConnection) -> Feeds:
    """The feeds of the server that a request came to."""
    found = request.app.state.feeds
    assert isinstance(found, Feeds)
    return found


class _Source:
    """Reads the store for all feeds, with one connection. One thread at a time uses it."""

    def __init__(self, server: Server) -> None:
        self._database = open_database(server.home, any_thread=True)
        self._lines = EventReader(self._database, WantedEvents(), event_ids.last(self._database))
        self._outcomes: dict[Selection, EventReader] = {}

    @property
    def position(self) -> int:
        """The id up to which the events without outcomes were read."""
        return self._lines.position

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def read(self, selections: Sequence[Selection]) -> tuple[dict[Selection, Page], bool]:
        """What is new in each selection, and whether more follows at once."""
        before = self.position
        over = over_jobs(self._database, [each.job for each in selections if each.job is not None])
        lines, has_more = self._new_lines()
        self._outcomes = {
            each: self._outcomes.get(each) or EventReader(self._database, each.wanted(self._database), before)
            for each in selections
            if each.items
        }
        found = {}
        for each in selections:
            reader = self._outcomes.get(each)
            if reader is None:
                pieces, is_full = self._of(each, lines), has_more
            else:
                pieces, is_full = _next_pieces(reader)
                has_more |= is_full
            position = self.position if reader is None else reader.position
            found[each] = _page(pieces, position, each.job in over and not is_full)
        return found, has_more

    def _new_lines(self) -> tuple[list[tuple[int | None, Piece]], bool]:
        """The new events without outcomes, each with its job."""
        found: list[tuple[int | None, Piece]] = []
        for _ in range(_PAGES):
            documents = self._lines.read()
            found += [(each["data"].get("id"), piece_of(each)) for each in documents]
            if len(documents) < PAGE:
                return found, False
        return found, True

    def _of(self, selection: Selection, lines: Sequence[tuple[int | None, Piece]]) -> list[Piece]:
        if selection.job is not None:
            return [piece for job, piece in lines if job == selection.job]
        sees = selection.wanted(self._database).sees if lines else None
        return [piece for job, piece in lines if sees is None or sees(job or 0)]


def read_page(server: Server, selection: Selection, position: int) -> Page:
    """Read one page of the events after an id, with a connection of its own. Raises NotFound without a store."""
    with server.database() as database:
        over = over_jobs(database, [] if selection.job is None else [selection.job])
        reader = EventReader(database, selection.wanted(database), position)
        pieces, is_full = _next_pieces(reader)
        return _page(pieces, reader.position, selection.job in over and not is_full)


def over_jobs(database: Database, jobs: Sequence[int]) -> frozenset[int | None]:
    """The jobs of these that are done or do not exist. Ask before reading: what is read then is all there is."""
    if not jobs:
        return frozenset()
    states: Mapping[int, tuple[object, int]] = job_views.states(database, list(jobs))
    return frozenset(job for job in jobs if job not in states or states[job][0] in TERMINAL_JOB_STATES)


def _next_pieces(reader: EventReader) -> tuple[list[Piece], bool]:
    """The next page, and whether another one may follow."""
    documents = reader.read()
    return [piece_of(each) for each in documents], len(documents) >= PAGE


def piece_of(document: EventDocument) -> Piece:
    """An event as a stream carries it."""
    number = document["id"]
    event = ServerSentEvent(encoded(document).decode(), event=document["type"], id=str(number), sep="\n")
    return Piece(number, event.encode())
