"""The program ``jobctl top``, which opens the store and shows the screens."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from jobctl.config import Home
from jobctl.errors import JobctlError, NotFound
from jobctl.render.inert import inert_log
from jobctl.services.control.targets import Target
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.tui.actions import Actions
from jobctl.tui.item import ItemScreen
from jobctl.tui.job import JobScreen
from jobctl.tui.jobs import JobsScreen
from jobctl.tui.page import JobctlScreen
from jobctl.tui.program import Program
from jobctl.tui.reader import Reader, Watcher
from jobctl.tui.theme import DARK, LIGHT, NAMED_DARK, NAMED_LIGHT, THEMES, preferred
from jobctl.tui.waiting import Arrival, NoStore

#: Seconds after which a thread that computes lets another one continue.
_TURN_S = 0.0005


class Changed(Message):
    """The store has changed."""


class Answered(Message):
    """An action has ended, with a sentence for the person."""

    def __init__(self, sentence: str, is_error: bool) -> None:
        super().__init__()
        self.sentence, self.is_error = sentence, is_error


class Later(Message):
    """A thread wants a function to be called in the thread that draws."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self.act = act


class Top(Program):
    """``jobctl top``."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "jobctl top"
    CSS = """
    JobctlScreen { layout: vertical; overflow: hidden; }
    Static { height: auto; }
    TabbedContent, ContentSwitcher, TabPane { height: 1fr; }
    Tab, Tab:hover, Tab:focus { color: $text; }
    Tab.-active { background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold; }
    Tabs:focus .-active { background: $block-cursor-background; color: $block-cursor-foreground; }
    ModalScreen { background: transparent; }
    Underline > .underline--bar { color: $primary; background: $border-blurred; }
    Toast { background: $background; color: $text; border: round $primary; }
    Toast.-error { border: round $error; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", "go to the background", show=False),
        Binding("T", "colours", "dark or light", show=False),
    ]

    def __init__(self, home: Home, program: str, target: Target | None = None) -> None:
        """``target`` is the job or the item to show first."""
        super().__init__()
        self.ansi_theme_dark, self.ansi_theme_light = NAMED_DARK, NAMED_LIGHT
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = preferred()
        self._home, self._called, self._target = home, program, target
        #: The error that ended the program, if one did.
        self.failure: JobctlError | None = None
        self._arrival: Arrival | None = None
        self.actions = Actions(
            home,
            lambda sentence, is_error: self.post_message(Answered(sentence, is_error)),
            lambda act: self.post_message(Later(act)),
        )
        self.watcher = Watcher(
            home,
            lambda: self.post_message(Changed()),
            lambda error: self.post_message(Later(lambda: self._fail(error))),
        )

    def on_mount(self) -> None:
        """Open the store, or wait for one."""
        # Python hands over between threads every 5 ms. A key needs many turns, so a search would make it slow.
        sys.setswitchinterval(_TURN_S)
        self._open()

    def _open(self) -> None:
        """Open the store in the thread that draws, and begin to watch it; without a store, wait for one."""
        try:
            database = open_database(self._home)
        except NotFound:
            self.push_screen(NoStore(self._home))
            self._arrival = Arrival(self._home, lambda: self.post_message(Later(self._arrived)))
            self._arrival.start()
            return
        self._begin(database)

    def _begin(self, database: Database) -> None:
        self.reader = Reader(self._home, database, self._called)
        self.push_screen(JobsScreen())
        if self._target is not None:
            self.open_target(self._target)
        self.watcher.start()

    def _arrived(self) -> None:
        self.pop_screen()
        self._open()

    def _fail(self, error: JobctlError) -> None:
        self.failure = error
        self.exit()

    def on_unmount(self) -> None:
        """Stop the threads and close the store."""
        if self._arrival is not None:
            self._arrival.stop()
        if self.watcher.is_started:
            self.watcher.stop()
            self.reader.database.close()

    def action_colours(self) -> None:
        """Change between the dark and the light theme."""
        self.theme = LIGHT if self.theme == DARK else DARK

    def on_changed(self) -> None:
        """Draw the visible screen again."""
        if isinstance(self.screen, JobctlScreen):
            self.screen.refresh_now()

    def on_later(self, later: Later) -> None:
        """Call the function."""
        later.act()

    def open_target(self, target: Target) -> None:
        """Show a job, or an item of it over its job."""
        self.push_screen(JobScreen(target.job, "overview" if target.item is None else "items", target.item))
        if target.item is not None:
            self.push_screen(ItemScreen(target.job, target.item))

    def on_answered(self, answer: Answered) -> None:
        """Show the answer for a few seconds."""
        self.notify(inert_log(answer.sentence), severity="error" if answer.is_error else "information", markup=False)
