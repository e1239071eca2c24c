"""What every screen of ``jobctl top`` asks of the program that shows it."""

from __future__ import annotations

from textual.app import App

from jobctl.tui.actions import Actions
from jobctl.tui.reader import Reader, Watcher


class Program(App[None]):
    """The parts of the program that screens use. ``Top`` makes them, which imports the screens."""

    reader: Reader
    actions: Actions
    watcher: Watcher
