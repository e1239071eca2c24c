"""The program around the screens."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message

from jobctl.config import Home
from jobctl.render.inert import inert_log
from jobctl.store.database import open_database
from jobctl.tui.actions import Hands
from jobctl.tui.jobs import JobsScreen
from jobctl.tui.page import Page
from jobctl.tui.reading import Reader, Watcher


class Changed(Message):
    """There is something new to read."""


class Said(Message):
    """What became of something that was asked for."""

    def __init__(self, sentence: str, trouble: bool) -> None:
        super().__init__()
        self.sentence, self.trouble = sentence, trouble


class Top(App[None]):
    """``jobctl top``."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "jobctl top"
    CSS = """
    Page { layout: vertical; overflow: hidden; }
    Static { height: auto; }
    TabbedContent, ContentSwitcher, TabPane { height: 1fr; }
    Table { height: 1fr; }
    """

    reader: Reader
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+z", "suspend_process", show=False)]

    def __init__(self, home: Home, program: str) -> None:
        super().__init__()
        self._home, self._program = home, program
        self.hands = Hands(home, lambda sentence, trouble: self.post_message(Said(sentence, trouble)))
        self.watcher = Watcher(home, lambda: self.post_message(Changed()))

    def on_mount(self) -> None:
        """Open the store in the thread that draws, and begin to watch it."""
        self.reader = Reader(self._home, open_database(self._home), self._program)
        self.push_screen(JobsScreen())
        self.watcher.start()

    def on_unmount(self) -> None:
        """The end."""
        self.watcher.stop()
        self.reader.database.close()

    def on_changed(self) -> None:
        """Draw the screen that is seen."""
        if isinstance(self.screen, Page):
            self.screen.refresh_now()

    def on_said(self, said: Said) -> None:
        """Show it for a while."""
        self.notify(inert_log(said.sentence), severity="error" if said.trouble else "information", markup=False)
