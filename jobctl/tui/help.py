"""All keys of a screen, over the screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.dom import DOMNode
from textual.screen import ModalScreen
from textual.widgets import Static

from jobctl.tui.keys import name_of


class Help(ModalScreen[None]):
    """What each key does; any of the keys that close a screen closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "app.pop_screen", "close"),
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
    ]
    DEFAULT_CSS = """
    Help { align: center middle; }
    Help > VerticalScroll { width: 100%; height: 100%; border: round $primary;
        background: $background; padding: 0 1; scrollbar-size-vertical: 1; border-title-color: $text;
        border-subtitle-color: $text; }
    Help Static { width: 100%; height: auto; }
    """

    def __init__(self, title: str, nodes: list[DOMNode]) -> None:
        super().__init__()
        self._title, self._lines = title, key_table(nodes)

    def compose(self) -> ComposeResult:
        """The keys in a box, which scrolls on a low screen."""
        with VerticalScroll() as box:
            box.border_title, box.border_subtitle = self._title, "esc closes"
            yield Static(self._lines, markup=False)

    def action_down(self) -> None:
        """Scroll down."""
        self.query_one(VerticalScroll).scroll_down(animate=False)

    def action_up(self) -> None:
        """Scroll up."""
        self.query_one(VerticalScroll).scroll_up(animate=False)


def key_table(nodes: list[DOMNode]) -> Table:
    """A line for each action that a key starts on these parts of a screen, the innermost part first."""
    found: dict[str, tuple[str, list[str]]] = {}
    for binding in bindings_of(nodes):
        what, keys = found.setdefault(binding.action, (binding.description, []))
        keys += [name for key in binding.key.split(",") if (name := name_of(key.strip())) not in keys]
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", ratio=1)
    table.add_column(ratio=2)
    for what, keys in found.values():
        if what:
            table.add_row(Text(" ".join(keys), "bold"), Text(what))
    return table


def bindings_of(nodes: list[DOMNode]) -> Iterator[Binding]:
    """Yield the keys that classes of ours declare for these parts of a screen."""
    for node in nodes:
        for kind in type(node).__mro__:
            if kind.__module__.startswith("jobctl."):
                for each in kind.__dict__.get("BINDINGS", ()):
                    if isinstance(each, Binding):
                        yield each
