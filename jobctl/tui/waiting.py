"""What is shown as long as there is no store, and the thread that notices when there is one."""

from __future__ import annotations

import select
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from jobctl.config import Home
from jobctl.errors import JobctlError
from jobctl.process.stop_pipe import StopPipe, is_readable
from jobctl.process.watch import UNWATCHED_WAIT_S, Watch
from jobctl.render.inert import inert
from jobctl.store.opening.open import open_database
from jobctl.tui.keys import Keys

#: Seconds after which the place is looked at without an event: a network disk may not report changes.
_LONGEST_NAP_S = 30.0


class NoStore(Screen[None]):
    """There is nothing to show yet."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,escape", "app.quit", "quit")]

    def __init__(self, home: Home) -> None:
        super().__init__()
        self._home = home

    def compose(self) -> ComposeResult:
        """The place, and how to begin."""
        yield Static(
            f"no jobs yet: there is no queue at {inert(str(self._home.root))}\n\n"
            "start with: jobctl submit FILE -- COMMAND\nthis screen shows the first job when it comes",
            markup=False,
            id="nothing",
        )
        yield Keys()


class Arrival:
    """A thread that calls ``arrived`` once the store can be opened."""

    def __init__(self, home: Home, arrived: Callable[[], object]) -> None:
        self._home, self._arrived = home, arrived
        self._stop = StopPipe()
        self._thread = Thread(target=self._run, name="arrival", daemon=True)

    def start(self) -> None:
        """Begin to wait."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for its end."""
        self._stop.stop()
        self._thread.join()
        self._stop.close()

    def _run(self) -> None:
        while not self._is_there():
            if not self._wait():
                return
        self._arrived()

    def _is_there(self) -> bool:
        try:
            open_database(self._home).close()
        except JobctlError:  # it is made at this moment
            return False
        return True

    def _wait(self) -> bool:
        """Wait for a change of the directory that is there; False if the program ends."""
        directory, name = _nearest(self._home.database)
        try:
            watch = Watch(directory, (name,) if name else ())
        except OSError:  # the directory has just been removed or made: look again
            return not is_readable(self._stop.reader, UNWATCHED_WAIT_S)
        with watch:
            if _nearest(self._home.database) != (directory, name):
                return True
            nap_s = _LONGEST_NAP_S if watch.fileno() >= 0 else UNWATCHED_WAIT_S
            others = [watch.fileno()] if watch.fileno() >= 0 else []
            ready = select.select([self._stop.reader, *others], [], [], nap_s)[0]
            return self._stop.reader not in ready


def _nearest(path: Path) -> tuple[Path, str]:
    """The nearest directory above a path that is there, and the name in it that leads to the path.

    The name is empty if the path itself is there: then any change in its directory counts.
    """
    if path.exists():
        return path.parent, ""
    while not path.parent.is_dir() and path.parent != path:
        path = path.parent
    return path.parent, path.name
