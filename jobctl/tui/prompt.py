"""The line in which a person types a filter, a number or a text to search."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

_LONGEST = 10_000


class Prompt(Horizontal):
    """A line at the bottom of a screen, visible while something is typed in it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "close")]
    DEFAULT_CSS = """
    Prompt { height: 1; display: none; background: $background; }
    Prompt.-open { display: block; }
    Prompt #label { width: auto; color: $primary; text-style: bold; }
    Prompt Input, Prompt Input:focus { border: none; height: 1; padding: 0; width: 1fr; background: $background;
        color: $text; }
    Prompt Input > .input--placeholder { color: $text-muted; }
    """

    class Typed(Message):
        """The text has changed; ``done`` after Enter."""

        def __init__(self, kind: str, text: str, done: bool) -> None:
            super().__init__()
            self.kind, self.text, self.done = kind, text, done

    class Closed(Message):
        """Escape was pressed."""

        def __init__(self, kind: str) -> None:
            super().__init__()
            self.kind = kind

    kind = ""

    def compose(self) -> ComposeResult:
        """The question and the line."""
        yield Static(id="label", markup=False)
        yield Input(id="line", max_length=_LONGEST, select_on_focus=False)

    @property
    def is_open(self) -> bool:
        """Whether something is typed."""
        return self.has_class("-open")

    def ask(self, kind: str, label: str, text: str = "", hint: str = "") -> None:
        """Open the line with a text; its messages carry ``kind``."""
        self.kind = kind
        self.query_one("#label", Static).update(label)
        line = self.query_one(Input)
        with self.prevent(Input.Changed):
            line.value, line.placeholder = text, hint
        line.cursor_position = len(text)
        self.add_class("-open")
        line.focus()
        self.screen.refresh_bindings()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell what is typed so far."""
        event.stop()
        if self.is_open:
            self.post_message(self.Typed(self.kind, event.value, done=False))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Tell that the text is complete."""
        event.stop()
        self.remove_class("-open")
        self.post_message(self.Typed(self.kind, event.value, done=True))

    def action_close(self) -> None:
        """Close the line without an answer."""
        self.remove_class("-open")
        self.post_message(self.Closed(self.kind))
