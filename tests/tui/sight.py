"""A user of ``jobctl top`` for tests, who looks at the screen before pressing a key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from textual import events
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, Static

from jobctl.config import Home
from jobctl.errors import NotFound
from jobctl.services.control.targets import Target
from jobctl.store.opening.open import open_database
from jobctl.tui.app import Top
from jobctl.tui.confirm import Confirm
from jobctl.tui.grid import Grid
from jobctl.tui.help import Help
from jobctl.tui.item import ItemScreen
from jobctl.tui.job import JobScreen
from jobctl.tui.jobs import JobsScreen
from jobctl.tui.page import JobctlScreen
from jobctl.tui.waiting import NoStore

PATIENCE_S = 60.0
#: What threads do to the store sends no message; so look again after this time even if none came.
LOOK_AGAIN_S = 0.25
#: For each tab of a job the widget that must have the focus before a key is pressed.
FOCUS_OF_TAB = {"overview": "scroll", "items": "item-table", "failures": "failure-table", "log": "text"}


class Sight:
    """The program with a user at its keys.

    ``press`` is the only way to press a key: it waits until the screen on top has drawn what the store holds and has
    the focus where its keys belong. A key that comes earlier meets an empty table, and does nothing. What a key does
    takes its time, too: a script waits for it (``sees``, ``comes_to``, ``chooses``) before it presses the next one.
    """

    def __init__(self, app: Top) -> None:
        self.app = app
        self._stirred = asyncio.Event()

    def stir(self, message: Message) -> None:
        """Textual handles a message: what is waited for may be true now."""
        if not isinstance(message, events.Callback):  # the pilot's own pauses send these
            self._stirred.set()

    async def press(self, *keys: str) -> None:
        """Press keys, each as soon as the screen is ready for it."""
        for key in keys:
            await self.until(self.ready, f"a screen that is ready for the key {key!r}")
            await self.pilot.press(key)

    def type_ahead(self, *keys: str) -> None:
        """Send keys at once, as a terminal hands over what was typed while the program was busy."""
        for key in keys:
            self.app.post_message(events.Key(key, key if len(key) == 1 else None))

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition; fails with ``what`` and the screen."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_S
        while True:
            self._stirred.clear()
            await self.pilot.pause()  # whatever was sent so far is handled and drawn
            if condition():
                return
            assert loop.time() < deadline, f"{what}:\n{self.text()}"
            try:
                await asyncio.wait_for(self._stirred.wait(), LOOK_AGAIN_S)
            except TimeoutError:
                continue

    async def sees(self, *texts: str) -> None:
        """Wait until all of these can be read."""
        await self.until(lambda: all(text in self.text() for text in texts), f"{texts} on the screen")

    async def comes_to(self, kind: type[Screen]) -> None:
        """Wait until a screen of this kind is on top and can be used."""
        await self.until(lambda: isinstance(self.screen, kind) and self.ready(), f"a {kind.__name__} on top")

    async def chooses(self, table: str, key: object) -> None:
        """Wait until the cursor of a table is on the row with this key."""
        await self.until(lambda: self.table(table).chosen == str(key), f"the cursor of {table} on row {key}")

    def ready(self) -> bool:
        """Whether the screen on top has been drawn, and its keys go where they belong."""
        screen = self.screen
        if not (screen.is_mounted and screen.is_current):
            return False
        if isinstance(screen, Confirm):
            return bool(screen.query("#question"))
        if isinstance(screen, NoStore):
            return bool(screen.query("#nothing"))
        if isinstance(screen, Help):
            return bool(screen.query(Static))
        if isinstance(screen, JobctlScreen) and screen.prompt.is_open:
            return isinstance(screen.focused, Input)
        focused = screen.focused.id if screen.focused is not None else None
        if isinstance(screen, JobsScreen):
            return self._drawn("#head") and focused == "jobs" and self._is_as_stored(screen)
        if isinstance(screen, JobScreen):
            return self._drawn("#head") and focused == FOCUS_OF_TAB[screen.tab] and self._is_as_stored(screen)
        assert isinstance(screen, ItemScreen), f"what does {type(screen).__name__} need before a key?"
        return self._drawn("#explanation") and focused == "text"

    def _drawn(self, name: str) -> bool:
        found = self.screen.query(name)
        return bool(found) and bool(str(found.first().render()))

    def _is_as_stored(self, screen: JobsScreen | JobScreen) -> bool:
        """Whether the job that a key would act on was read after its last change."""
        job = screen.chosen_job
        if job is None:
            return True
        try:
            return job["revision"] == self.app.reader.job(job["job"])["revision"]
        except NotFound:
            return False

    def text(self) -> str:
        """The text on the screen."""
        width, height = self.app.size
        # Of a screen with another one above it, only the upper one counts, as for the eye.
        lines = self.screen._compositor.render_strips()
        assert len(lines) == height and all(strip.cell_length == width for strip in lines)
        return "\n".join(strip.text.rstrip() for strip in lines)

    def table(self, name: str) -> Grid:
        """A table of the screen on top."""
        return self.screen.query_one(name, Grid)

    @property
    def screen(self) -> Screen:
        """The screen on top."""
        return self.app.screen


def watch(
    home: Home,
    script: Callable[[Sight], Awaitable[None]],
    size: tuple[int, int] = (100, 30),
    *,
    first: type[Screen] = JobsScreen,
    target: Target | None = None,
) -> None:
    """Run a script of key strokes on the store, from the moment the first screen can be used."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Sight]:
        app = Top(home, "jobctl", target)
        sight = Sight(app)
        async with app.run_test(size=size, notifications=True, message_hook=sight.stir) as pilot:
            sight.pilot = pilot
            await sight.comes_to(first)
            yield sight

    async def play() -> None:
        async with opened() as sight:
            await script(sight)

    asyncio.run(play())


def state_of(home: Home, job: int) -> str:
    """The state of a job in the store."""
    database = open_database(home)
    try:
        return database.scalar("SELECT state FROM jobs WHERE id = ?", (job,))
    finally:
        database.close()
