"""The parts of the program ``jobctl top`` that its screens use."""

from __future__ import annotations

from textual.app import App

from jobctl.services.control.targets import Target
from jobctl.tui.actions import Actions
from jobctl.tui.reader import Reader, Watcher


class Program(App[None]):
    """The program as its screens know it. ``Top`` creates the parts, and imports the screens."""

    reader: Reader
    actions: Actions
    watcher: Watcher

    def open_target(self, target: Target) -> None:
        """Show a job, or an item of it."""
        raise NotImplementedError
