"""The output of items, shown as they write it."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from threading import Semaphore, Thread

from textual.message import Message
from textual.widgets import Log

from jobctl.config import Home
from jobctl.errors import JobctlError
from jobctl.render.output import harmless, heading
from jobctl.services.output.follow import Follower, FollowTarget, OutputEvent
from jobctl.store.opening.open import open_database

#: Lines that can be scrolled back to.
MAX_LINES = 20_000
#: Pieces that may wait to be drawn; the thread that reads waits when there are more.
AHEAD = 64
NOTHING = "nothing was written yet\n"


class LogView(Log):
    """Follows one item, or the items of a job, with a thread of its own."""

    class MoreText(Message):
        """More text."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, home: Home, wanted: FollowTarget, id: str) -> None:
        super().__init__(max_lines=MAX_LINES, id=id)
        self._home, self._wanted = home, wanted
        self._room = Semaphore(AHEAD)
        self._reader, self._writer = os.pipe()
        self._thread: Thread | None = None
        self._mark: int | None = None
        self._blank = True  # no text has come yet
        self._ended = False

    def on_mount(self) -> None:
        """Begin to follow."""
        self.write(NOTHING)
        self._start()

    def _start(self) -> None:
        self._thread = Thread(target=self._follow, name="log", daemon=True)
        self._thread.start()

    def follow_again(self, wanted: FollowTarget, mark: int) -> None:
        """Follow again if another attempt began after the end of the log; ``mark`` counts the attempts or rounds."""
        if mark == self._mark or (self._thread is not None and self._thread.is_alive()):
            return
        if self._mark is not None:
            self._wanted, self._blank = wanted, True
            self.clear().write(NOTHING)
            self._start()
        self._mark = mark

    def on_unmount(self) -> None:
        """Stop the thread: the screen is closed."""
        self._ended = True
        os.close(self._writer)
        self._room.release()
        if self._thread is not None:
            self._thread.join()
        os.close(self._reader)

    def on_log_view_more_text(self, message: MoreText) -> None:
        """Show the text; a view that was scrolled back stays where it is."""
        self._room.release()
        if self._blank:
            self._blank = False
            self.clear()
        self.auto_scroll = self.is_vertical_scroll_end
        self.write(message.text)

    def _follow(self) -> None:
        database = open_database(self._home)
        try:
            for text in _texts(Follower(database, self._home, self._wanted, self._reader).events(), self._wanted):
                self._room.acquire()
                if self._ended:
                    return
                self.post_message(self.MoreText(text))
        except JobctlError as error:
            self.post_message(self.MoreText(f"[jobctl: {error.message}]\n"))
        finally:
            database.close()


def _texts(events: Iterator[OutputEvent], wanted: FollowTarget) -> Iterator[str]:
    """Events as text; with several items a heading says whose output follows."""
    decoders: dict[tuple[int, int, str], codecs.IncrementalDecoder] = {}
    shown: tuple[int, int, str] | None = None
    for event in events:
        if not event.data:
            continue
        key = (event.item, event.attempt, event.stream)
        decoder = decoders.setdefault(key, codecs.getincrementaldecoder("utf-8")("replace"))
        head = "" if wanted.item is not None or key == shown else _heading(wanted.job, event)
        shown = key
        yield head + harmless(decoder.decode(event.data))


def _heading(job: int, event: OutputEvent) -> str:
    return "\n" + heading(f"{job}.{event.item}" + (" standard error" if event.stream == "err" else "")) + "\n"
