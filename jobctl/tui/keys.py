"""The line of keys at the bottom of a screen: the keys that act now, as many as fit, and the key for all of them."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.strip import Strip
from textual.widget import Widget

_GAP = 2
#: How a key is written, if not by its name.
_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "escape": "esc",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
}


def name_of(key: str) -> str:
    """Return a key as people write it."""
    return _NAMES.get(key, key)


class Keys(Widget):
    """The keys that act now. A click on one presses it."""

    COMPONENT_CLASSES = {"keys--key"}  # noqa: RUF012 - textual declares it so
    DEFAULT_CSS = """
    Keys { height: 1; dock: bottom; background: $background; color: $text; }
    Keys > .keys--key { color: $primary; text-style: bold; }
    """

    def on_mount(self) -> None:
        """Draw again when other keys act."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _screen: self.refresh())

    def render_line(self, _y: int) -> Strip:
        """Draw the line."""
        line = Text(end="", no_wrap=True)
        for key, what in self._fitting():
            line.append(" " * _GAP if line else "").append(key, self.get_component_rich_style("keys--key"))
            line.append(f" {what}")
        strip = Strip(line.render(self.app.console)).apply_style(self.rich_style)
        return strip.adjust_cell_length(self.size.width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        """Press the key under the mouse."""
        edge = 0
        for key, what in self._fitting():
            edge += len(key) + len(what) + 1 + _GAP
            if event.x < edge:
                self.app.simulate_key(next(k for k, _ in self._acting() if name_of(k) == key))
                return

    def _acting(self) -> list[tuple[str, str]]:
        """The keys that act now, the first one of each action, with what they do."""
        found: dict[str, tuple[str, str]] = {}
        for _, binding, enabled, _tooltip in self.screen.active_bindings.values():
            if binding.show and enabled:
                found.setdefault(binding.action, (binding.key, binding.description))
        return list(found.values())

    def _fitting(self) -> list[tuple[str, str]]:
        """The keys that fit; the key for help comes last, and is never left out."""
        acting = [(name_of(key), what) for key, what in self._acting()]
        rest = [each for each in acting if each[0] == "?"]
        shown: list[tuple[str, str]] = []
        room = self.size.width - sum(_room(each) for each in rest)
        for each in acting:
            if each not in rest and _room(each) <= room:
                shown.append(each)
                room -= _room(each)
        return [*shown, *rest]


def _room(each: tuple[str, str]) -> int:
    return len(each[0]) + 1 + len(each[1]) + _GAP
