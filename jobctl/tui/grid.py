"""A table of any length: it asks for the rows that are visible, so a million rows cost what fifty cost."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Protocol

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from jobctl.render.look import shows_unicode

_GAP = 2
#: Rows that are read at once, in screens. So a cursor that moves reads only every second screen.
_SCREENS = 4
_LEAST_ROWS = 64


class Column(NamedTuple):
    """The heading of a column; ``name`` is the order that a click on it asks for, empty if none."""

    name: str
    title: Text


class Row(NamedTuple):
    """A row with its key; all cells of a column have the same width."""

    key: str
    cells: list[Text]


class Rows(Protocol):
    """The rows of a table."""

    def __len__(self) -> int: ...

    def read(self, first: int, count: int) -> list[Row]:
        """Return at most ``count`` rows from the place ``first``, counted from 0."""

    def columns(self) -> list[Column]:
        """Return the headings, as wide as the cells that were read last."""

    def place(self, key: str) -> int | None:
        """Return the place of a key, None if no row has it."""


class Listed:
    """Rows that are all known."""

    def __init__(self, columns: Sequence[Column], keys: Sequence[str], cells: Sequence[list[Text]]) -> None:
        self._columns, self._keys = list(columns), list(keys)
        self._rows = [Row(key, row) for key, row in zip(keys, cells, strict=True)]

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, first: int, count: int) -> list[Row]:
        """Return some of the rows."""
        return self._rows[first : first + count]

    def columns(self) -> list[Column]:
        """Return the headings."""
        return self._columns

    def place(self, key: str) -> int | None:
        """Return the place of a key."""
        return self._keys.index(key) if key in self._keys else None


class Grid(ScrollView, can_focus=True):
    """A table with a heading and a cursor, which stays on its row when rows move."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", "up", show=False),
        Binding("down,j", "step(1)", "down", show=False),
        Binding("pageup,ctrl+b", "screens(-1)", "a screen up", show=False),
        Binding("pagedown,ctrl+f,space", "screens(1)", "a screen down", show=False),
        Binding("home", "first", "to the first line", show=False),
        Binding("end,G", "last", "to the last line", show=False),
        Binding("enter", "open", "open"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"grid--header", "grid--cursor"}
    DEFAULT_CSS = """
    Grid { height: 1fr; background: $background; color: $foreground; scrollbar-size-vertical: 1; overflow-x: hidden; }
    Grid > .grid--header { background: $background; color: $text; text-style: bold underline; }
    Grid > .grid--cursor { background: $block-cursor-blurred-background; color: $block-cursor-blurred-foreground; }
    Grid:focus > .grid--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    """

    class Event(Message):
        """Something about a table."""

        def __init__(self, grid: Grid, name: str) -> None:
            super().__init__()
            self.grid, self.name = grid, name

        @property
        def control(self) -> Grid:
            """The table."""
            return self.grid

    class Opened(Event):
        """Enter on the row with the key ``name``, or a click on the row of the cursor."""

    class Moved(Event):
        """The cursor is on the row with the key ``name``."""

    class Headed(Event):
        """A click on the heading of the column ``name``."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._source: Rows = Listed([], [], [])
        self._cursor = 0
        self._key: str | None = None  # of the row under the cursor
        self._first = 0
        self._window: list[Row] = []
        self.sorted_by = ("", False)  # (column, whether its order is turned round), for the heading

    # ---- rows ----

    @property
    def columns(self) -> list[Column]:
        """The headings."""
        return self._source.columns()

    @property
    def row_count(self) -> int:
        """The number of rows."""
        return len(self._source)

    @property
    def chosen(self) -> str | None:
        """The key of the row under the cursor; None in an empty table."""
        return self._key

    def fill(self, titles: Sequence[Column], keys: Sequence[str], cells: Sequence[list[Text]]) -> None:
        """Show these rows."""
        self.show(Listed(titles, keys, cells))

    def show(self, source: Rows, *, keep: bool = True) -> None:
        """Show the rows of a source; the cursor stays on its row, or goes to the first one without ``keep``."""
        place = source.place(self._key) if keep and self._key is not None else None
        if not keep:
            self._cursor = 0
        stay = None if place is None else place - self._cursor
        in_view = place is None or self._is_in_view()
        self._source, self._window = source, []
        self.virtual_size = Size(self.size.width, len(source) + 1)
        if stay:  # the row keeps its line on the screen, as far as that is possible
            self.scroll_to(y=max(0, self.scroll_offset.y + stay), animate=False, force=True, immediate=True)
        self._move(self._cursor if place is None else place, scroll=in_view)
        self.refresh()

    def row_at(self, place: int) -> Row | None:
        """The row at a place; None if there is none."""
        if not self._first <= place < self._first + len(self._window):
            self._read_around(place)
        inside = place - self._first
        return self._window[inside] if 0 <= inside < len(self._window) else None

    def _read_around(self, place: int) -> None:
        count = max(_LEAST_ROWS, _SCREENS * self.size.height)
        self._first = max(0, place - count // 2)
        self._window = self._source.read(self._first, count)

    # ---- the cursor ----

    def choose(self, key: str) -> bool:
        """Move the cursor to the row with a key; False if there is none."""
        place = self._source.place(key)
        if place is not None:
            self.move_cursor(place)
        return place is not None

    def move_cursor(self, row: int) -> None:
        """Move the cursor to a place, or to the nearest one that there is."""
        self._move(row)
        self.refresh()

    def _is_in_view(self) -> bool:
        """Whether the row of the cursor is on the screen; the wheel of a mouse leaves it behind."""
        return self.scroll_offset.y <= self._cursor < self.scroll_offset.y + max(1, self.size.height - 1)

    def _move(self, place: int, *, scroll: bool = True) -> None:
        """Put the cursor on a place, and scroll to it unless a person has scrolled away from it to read."""
        self._cursor = max(0, min(place, len(self._source) - 1))
        row = self.row_at(self._cursor)
        before, self._key = self._key, None if row is None else row.key
        body = max(1, self.size.height - 1)
        top = self.scroll_offset.y
        if scroll and not self._is_in_view():
            target = self._cursor if self._cursor < top else self._cursor - body + 1
            if abs(target - top) > 2 * body:  # a leap: show what is around the row
                target = self._cursor - body // 2
            self.scroll_to(y=target, animate=False, force=True, immediate=True)
        if self._key != before:
            self.post_message(self.Moved(self, self._key or ""))

    def action_step(self, by: int) -> None:
        """Move by some rows."""
        self.move_cursor(self._cursor + by)

    def action_screens(self, by: int) -> None:
        """Move by some screens."""
        self.move_cursor(self._cursor + by * max(1, self.size.height - 2))

    def action_first(self) -> None:
        """Move to the first row."""
        self.move_cursor(0)

    def action_last(self) -> None:
        """Move to the last row."""
        self.move_cursor(len(self._source) - 1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - of textual
        """Nothing can be opened in an empty table."""
        return self._key is not None if action == "open" else True

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if self._key is not None:
            self.post_message(self.Opened(self, self._key))

    def on_click(self, event: events.Click) -> None:
        """Move to the line, open it if the cursor is there, or order by the column of the heading."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            self.post_message(self.Headed(self, self._column_at(offset.x)))
            return
        place = offset.y - 1 + self.scroll_offset.y
        if place >= len(self._source):
            return
        if place == self._cursor:
            self.action_open()
        else:
            self.move_cursor(place)

    def _column_at(self, x: int) -> str:
        edge = 0
        for name, title in self._source.columns():
            edge += title.cell_len + _GAP
            if x < edge:
                return name
        return ""

    # ---- drawing ----

    def on_resize(self, _event: events.Resize) -> None:
        """The cursor stays visible."""
        self.virtual_size = Size(self.size.width, len(self._source) + 1)
        self._window = []
        self._move(self._cursor)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Read what is visible, then draw: the widths of the columns come from the rows."""
        top, bottom = self.scroll_offset.y, min(len(self._source), self.scroll_offset.y + self.size.height - 1) - 1
        if bottom >= top and not (self._first <= top and bottom < self._first + len(self._window)):
            self._read_around((top + bottom) // 2)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Draw the heading or a row."""
        base = self.rich_style
        if y == 0:
            return self._strip(self._heading(), base + self.get_component_rich_style("grid--header"))
        place = y - 1 + self.scroll_offset.y
        row = self.row_at(place) if place < len(self._source) else None
        if row is None:
            return Strip.blank(self.size.width, base)
        line = Text(" " * _GAP).join(row.cells)
        if place == self._cursor:  # one colour of text: no background suits the colours of all states
            return self._strip(Text(line.plain), base + self.get_component_rich_style("grid--cursor"))
        return self._strip(line, base)

    def _heading(self) -> Text:
        """The titles; a sign at the title of a column says that it gives the order, and in which direction."""
        line = Text()
        for name, title in self._source.columns():
            sign = "" if not name or name != self.sorted_by[0] else self._sign()
            line.append(title.plain.rstrip() + sign)
            line.append(" " * max(0, title.cell_len - cell_len(title.plain.rstrip() + sign) + _GAP))
        return line

    def _sign(self) -> str:
        up, down = ("▲", "▼") if shows_unicode(sys.__stdout__ or sys.stdout) else ("^", "v")
        return down if self.sorted_by[1] else up

    def _strip(self, line: Text, style: Style) -> Strip:
        line.no_wrap, line.end = True, ""
        strip = Strip(line.render(self.app.console)).apply_style(style)
        return strip.adjust_cell_length(self.size.width, style)
