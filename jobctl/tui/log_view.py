"""The output of items, shown as they write it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from threading import Semaphore, Thread

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from jobctl.config import Home
from jobctl.domain.wording import number, plural
from jobctl.errors import JobctlError
from jobctl.process.stop_pipe import StopPipe
from jobctl.render.inert import inert
from jobctl.render.output import harmless, heading
from jobctl.services.output.follow import Follower, FollowTarget, OutputEvent
from jobctl.store.opening.open import open_database
from jobctl.tui.log_text import MAX_LINES, LogText

#: Pieces that may wait to be drawn; the thread that reads waits when there are more.
AHEAD = 64
NOTHING = "nothing was written yet\n"


class LogView(Vertical):
    """Follows one item, or the items of a job, with a thread of its own. The line below says how it is shown."""

    DEFAULT_CSS = """
    LogView { height: 1fr; }
    LogView #log-state { height: 1; color: $text-muted; }
    """

    class MoreText(Message):
        """More text."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, home: Home, wanted: FollowTarget) -> None:
        super().__init__()
        self._home, self._wanted = home, wanted
        self._room = Semaphore(AHEAD)
        self._stop_pipe = StopPipe()
        self._thread: Thread | None = None
        self._mark: int | None = None
        self._blank = True  # no text has come yet
        self._ended = False

    def compose(self) -> ComposeResult:
        """The text, and how it is shown."""
        yield LogText(id="text")
        yield Static(id="log-state", markup=False)

    @property
    def text(self) -> LogText:
        """The text."""
        return self.query_one(LogText)

    def on_mount(self) -> None:
        """Begin to follow."""
        self.text.write(NOTHING)
        self._start()

    def on_log_text_changed(self, _event: LogText.Changed) -> None:
        """Say how the text is shown."""
        self.query_one("#log-state", Static).update(", ".join(_facts(self.text)))
        self.screen.refresh_bindings()

    def _start(self) -> None:
        self._thread = Thread(target=self._follow, name="log", daemon=True)
        self._thread.start()

    def follow_again(self, wanted: FollowTarget, mark: int) -> None:
        """Follow again if another attempt began after the end of the log; ``mark`` counts the attempts or rounds."""
        if mark == self._mark or (self._thread is not None and self._thread.is_alive()):
            return
        if self._mark is not None:
            self._wanted, self._blank = wanted, True
            self.text.clear()
            self.text.write(NOTHING)
            self._start()
        self._mark = mark

    def on_unmount(self) -> None:
        """Stop the thread: the screen is closed."""
        self._ended = True
        self._stop_pipe.stop()
        self._room.release()
        if self._thread is not None:
            self._thread.join()
        self._stop_pipe.close()

    def on_log_view_more_text(self, message: MoreText) -> None:
        """Show the text; a view that was scrolled back stays where it is."""
        self._room.release()
        if self._blank:
            self._blank = False
            self.text.clear()
        self.text.write(message.text)

    def _follow(self) -> None:
        database = open_database(self._home)
        try:
            follower = Follower(database, self._home, self._wanted, self._stop_pipe.reader)
            for text in _texts(follower.events(), self._wanted):
                self._room.acquire()
                if self._ended:
                    return
                self.post_message(self.MoreText(text))
        except JobctlError as error:
            self.post_message(self.MoreText(f"[jobctl: {error.message}]\n"))
        finally:
            database.close()


def _facts(text: LogText) -> Iterator[str]:
    full = len(text.lines) >= MAX_LINES
    yield f"the last {number(len(text.lines))} lines" if full else plural(len(text.lines), "line")
    yield "at the end, follows" if text.follows else "scrolled back: G follows again"
    if text.wraps:
        yield "wrapped"
    if text.searched:
        here, count = text.found
        found = f"{number(here)} of {number(count)}" if here else number(count) if count else "not found"
        yield f"search {inert(text.searched)!r}: {found}"


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
