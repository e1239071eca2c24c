"""Lines of text that grow at the end: scrolled, wrapped, searched."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from rich.cells import cell_len, chop_cells
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

#: Lines that can be scrolled back to, and how many of the oldest are dropped at once.
MAX_LINES, DROPPED = 20_000, 1_000
#: A longer line is divided: an item may write a gigabyte without the end of a line.
LONGEST_LINE = 4_000


class Match(NamedTuple):
    """A place in the text; lines are counted from the first one that was ever written."""

    line: int
    start: int
    end: int


class LogText(ScrollView, can_focus=True):
    """A text that follows its end, until it is scrolled back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "lines(-1)", "up", show=False),
        Binding("down,j", "lines(1)", "down", show=False),
        Binding("pageup,b,ctrl+b", "screens(-1)", "a screen up", show=False),
        Binding("pagedown,space,ctrl+f", "screens(1)", "a screen down", show=False),
        Binding("left", "columns(-1)", "to the left", show=False),
        Binding("right", "columns(1)", "to the right", show=False),
        Binding("home", "first", "to the first line", show=False),
        Binding("end,G", "last", "to the last line, and follow", show=False),
        Binding("F", "follow", "follow the end, or stop"),
        Binding("w", "wrap", "wrap"),
        Binding("n", "match(1)", "next match"),
        Binding("N", "match(-1)", "match before"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"log--match", "log--here"}
    DEFAULT_CSS = """
    LogText { height: 1fr; background: $background; color: $foreground; scrollbar-size: 1 1; }
    LogText > .log--match { background: $block-cursor-blurred-background; color: $block-cursor-blurred-foreground; }
    LogText > .log--here { background: $block-cursor-background; color: $block-cursor-foreground; text-style: bold; }
    """

    class Changed(Message):
        """The text, its search or its place is another one."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.lines: list[str] = []
        self.follows, self.wraps = True, False
        self._dropped = 0
        self._unfinished = False  # the last line may become longer
        self._width = 0  # cells of the longest line
        self._parts: list[tuple[int, str]] = []  # (line, part of it) of a wrapped text
        self._pattern: re.Pattern[str] | None = None
        self.searched = ""
        self._matches: list[Match] = []
        self._here: int | None = None  # the chosen match

    # ---- the text ----

    def clear(self) -> None:
        """Remove all lines."""
        self.lines, self._parts, self._matches = [], [], []
        self._dropped, self._unfinished, self._width, self._here = 0, False, 0, None
        self._resized()

    def write(self, text: str) -> None:
        """Add text at the end."""
        first = len(self.lines)
        pieces = text.split("\n")
        if self._unfinished and self.lines:
            first -= 1
            pieces[0] = self.lines.pop() + pieces[0]
            self._forget_from(first)
        self._unfinished = pieces[-1] != ""
        if not self._unfinished:
            pieces.pop()
        for piece in pieces:
            flat = piece.expandtabs(8)
            self.lines += [flat[at : at + LONGEST_LINE] for at in range(0, max(1, len(flat)), LONGEST_LINE)]
        self._note_from(first)
        if len(self.lines) > MAX_LINES + DROPPED:
            self._drop(len(self.lines) - MAX_LINES)
        self._resized()

    def _forget_from(self, first: int) -> None:
        """Forget what is known of the lines from a place on."""
        while self._parts and self._parts[-1][0] >= first:
            self._parts.pop()
        while self._matches and self._matches[-1].line >= first + self._dropped:
            self._matches.pop()

    def _note_from(self, first: int) -> None:
        for number in range(first, len(self.lines)):
            line = self.lines[number]
            self._width = max(self._width, cell_len(line))
            if self.wraps:
                self._parts += [(number, part) for part in self._wrapped(line)]
            self._matches += self._matches_in(number)

    def _matches_in(self, number: int) -> Iterator[Match]:
        for found in self._pattern.finditer(self.lines[number]) if self._pattern is not None else ():
            yield Match(number + self._dropped, found.start(), found.end())

    def _wrapped(self, line: str) -> list[str]:
        width = self.scrollable_content_region.width
        return (chop_cells(line, width) if width > 0 else [line]) or [""]

    def _drop(self, count: int) -> None:
        """Drop the oldest lines; what is on the screen stays where it is."""
        del self.lines[:count]
        self._dropped += count
        before = self._height
        self._parts = [(number - count, part) for number, part in self._parts if number >= count]
        kept = [match for match in self._matches if match.line >= self._dropped]
        if self._here is not None:
            here = self._here - (len(self._matches) - len(kept))
            self._here = here if here >= 0 else None
        self._matches = kept
        if not self.follows:
            gone = count if not self.wraps else before - self._height
            self.scroll_to(y=max(0, self.scroll_offset.y - gone), animate=False, force=True, immediate=True)

    @property
    def _height(self) -> int:
        return len(self._parts) if self.wraps else len(self.lines)

    def _resized(self) -> None:
        width = self.scrollable_content_region.width if self.wraps else self._width
        self.virtual_size = Size(width, self._height)
        if self.follows:
            self.scroll_to(y=self._height, animate=False, force=True, immediate=True)
        self.refresh()
        self.post_message(self.Changed())

    def _rewrap(self) -> None:
        self._parts = []
        if self.wraps:
            self._parts = [(n, part) for n, line in enumerate(self.lines) for part in self._wrapped(line)]
        self._resized()

    def on_resize(self, _event: events.Resize) -> None:
        """Wrap again."""
        self._rewrap()

    # ---- places ----

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """A view that is scrolled back stays where it is; one at its end follows."""
        super().watch_scroll_y(old_value, new_value)
        is_at_end = new_value >= self.max_scroll_y
        if is_at_end != self.follows and ((new_value < old_value) != is_at_end):
            self.follows = is_at_end
            self.post_message(self.Changed())

    def action_lines(self, by: int) -> None:
        """Move by some lines."""
        self._go(self.scroll_offset.y + by)

    def action_screens(self, by: int) -> None:
        """Move by some screens."""
        self._go(self.scroll_offset.y + by * max(1, self.size.height - 1))

    def action_columns(self, by: int) -> None:
        """Move to the side."""
        self.scroll_to(x=max(0, self.scroll_offset.x + by * 8), animate=False, immediate=True)

    def action_first(self) -> None:
        """Show the first line."""
        self._go(0)

    def action_last(self) -> None:
        """Show the last line and follow."""
        self.follows = True
        self._resized()

    def action_follow(self) -> None:
        """Follow the end, or stay here."""
        self.follows = not self.follows
        self._resized()

    def action_wrap(self) -> None:
        """Wrap long lines, or let them go over the edge."""
        top = self.scroll_offset.y
        line = self._parts[top][0] if self.wraps and top < len(self._parts) else top
        self.wraps = not self.wraps
        self._rewrap()
        self.scroll_to(x=0, animate=False, immediate=True)
        if not self.follows:
            self._go(self._line_top(line))

    def _go(self, top: int) -> None:
        end = max(0, self._height - self.size.height)
        if top < self.scroll_offset.y:
            self.follows = False
        self.scroll_to(y=min(max(0, top), end), animate=False, force=True, immediate=True)
        self.post_message(self.Changed())

    def _line_top(self, line: int) -> int:
        if not self.wraps:
            return line
        return next((place for place, (number, _) in enumerate(self._parts) if number >= line), 0)

    # ---- search ----

    def search(self, text: str) -> None:
        """Mark a text wherever it is, and show the match that is nearest to the end of the screen.

        Letters match in both cases, unless one is a capital. An empty text ends the search.
        """
        self.searched = text
        case = 0 if text != text.lower() else re.IGNORECASE
        self._pattern = re.compile(re.escape(text), case) if text else None
        self._matches = [match for number in range(len(self.lines)) for match in self._matches_in(number)]
        self._here = None
        if self._matches:
            bottom = self.scroll_offset.y + self.size.height
            line = (self._parts[min(bottom, len(self._parts)) - 1][0] if self.wraps else bottom) + self._dropped
            before = [n for n, match in enumerate(self._matches) if match.line <= line]
            self._choose(before[-1] if before else 0)
        self.refresh()
        self.post_message(self.Changed())

    @property
    def found(self) -> tuple[int, int]:
        """(number of the chosen match, matches)."""
        return (0 if self._here is None else self._here + 1), len(self._matches)

    def action_match(self, by: int) -> None:
        """Show the next match, or the one before; after the last comes the first."""
        if self._matches:
            here = self._here if self._here is not None else -1
            self._choose((here + by) % len(self._matches))

    def check_action(self, action: str, _parameters: tuple[object, ...]) -> bool | None:
        """Matches can be shown once something was found."""
        return bool(self._matches) if action == "match" else True

    def _choose(self, number: int) -> None:
        self._here = number
        match = self._matches[number]
        top = self._line_top(match.line - self._dropped)
        if not self.scroll_offset.y <= top < self.scroll_offset.y + self.size.height:
            self.follows = False
            self._go(top - self.size.height // 2)
        if not self.wraps:
            cells = cell_len(self.lines[match.line - self._dropped][: match.end])
            left = 0 if cells < self.size.width else cells - self.size.width // 2
            self.scroll_to(x=left, animate=False, immediate=True)
        self.refresh()
        self.post_message(self.Changed())

    # ---- drawing ----

    def render_line(self, y: int) -> Strip:
        """Draw a line with its matches."""
        style, width = self.rich_style, self.size.width
        place = y + self.scroll_offset.y
        if place >= self._height:
            return Strip.blank(width, style)
        number, part = self._parts[place] if self.wraps else (place, self.lines[place])
        text = Text(part, end="", no_wrap=True)
        self._mark(text, number, self._offset(place, number))
        strip = Strip(text.render(self.app.console)).apply_style(style)
        if not self.wraps:
            strip = strip.crop(self.scroll_offset.x, self.scroll_offset.x + width)
        return strip.adjust_cell_length(width, style)

    def _offset(self, place: int, number: int) -> int:
        """The characters of the line before the part at this place."""
        offset = 0
        while self.wraps and place > 0 and self._parts[place - 1][0] == number:
            place -= 1
            offset += len(self._parts[place][1])
        return offset

    def _mark(self, text: Text, number: int, offset: int) -> None:
        if not self._matches:
            return
        line = number + self._dropped
        at = bisect_left(self._matches, (line, -1, -1))
        while at < len(self._matches) and self._matches[at].line == line:
            _, start, end = self._matches[at]
            name = "log--here" if at == self._here else "log--match"
            if end > offset and start < offset + len(text):
                style = self.get_component_rich_style(name)
                text.stylize(style, max(0, start - offset), end - offset)
            at += 1
