"""Tables whose cursor stays on its row while the contents change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable


class Table(DataTable[Text]):
    """A table of rows with keys; the cursor chooses one. The caller makes all cells of a column equally wide."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
        Binding("g", "scroll_top", show=False),
        Binding("G", "scroll_bottom", show=False),
    ]

    DEFAULT_CSS = """
    Table > .datatable--header { background: $background; color: $text; text-style: bold underline; }
    Table > .datatable--cursor { background: $block-cursor-blurred-background; color: $block-cursor-blurred-foreground;
        text-style: none; }
    Table:focus > .datatable--cursor { background: $block-cursor-background; color: $block-cursor-foreground;
        text-style: none; }
    Table > .datatable--hover, Table > .datatable--header-hover { background: $background; }
    """

    def __init__(self, id: str) -> None:
        super().__init__(id=id, cursor_type="row", zebra_stripes=False, cell_padding=1)
        # One colour of text on the row of the cursor: no background suits the colours of all states.
        self.cursor_foreground_priority = "css"
        self._shown: tuple[list[Text], list[str], list[list[Text]]] = ([], [], [])

    @property
    def chosen(self) -> str | None:
        """The key of the row under the cursor; None in an empty table."""
        keys = self._shown[1]
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else None

    @property
    def last(self) -> str | None:
        """The key of the last row."""
        return self._shown[1][-1] if self._shown[1] else None

    def fill(self, titles: list[Text], keys: Sequence[str], rows: list[list[Text]]) -> None:
        """Show these rows; the cursor stays on its row, also when the row moves."""
        shown = (titles, list(keys), rows)
        if shown == self._shown:
            return
        if shown[:2] == self._shown[:2]:
            self._update(rows)
        else:
            self._build(titles, keys, rows)
        self._shown = shown

    def _update(self, rows: list[list[Text]]) -> None:
        for y, (old, new) in enumerate(zip(self._shown[2], rows, strict=True)):
            for x, (before, after) in enumerate(zip(old, new, strict=True)):
                if before != after or before.style != after.style:
                    self.update_cell_at((y, x), after)  # type: ignore[arg-type]

    def _build(self, titles: list[Text], keys: Sequence[str], rows: list[list[Text]]) -> None:
        chosen, row = self.chosen, self.cursor_row
        self.clear(columns=True)
        for title in titles:
            self.add_column(title, width=title.cell_len)
        for key, cells in zip(keys, rows, strict=True):
            self.add_row(*cells, key=key)
        if keys:
            self.move_cursor(row=keys.index(chosen) if chosen in keys else min(row, len(keys) - 1), animate=False)
