"""Draw a progress bar with four parts: succeeded, failed, running, left."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jobctl.render.look import Look

if TYPE_CHECKING:
    from jobctl.domain.documents.status_blocks import CountsBlock


class Part(NamedTuple):
    """The cells of a bar for one kind of items."""

    text: str
    style: str


#: (style, character in colour, without colour, in ASCII) of succeeded, failed, running and remaining items.
_KINDS = (
    ("green", "━", "█", "="),
    ("red", "━", "x", "x"),
    ("yellow", "━", "▒", ">"),
    ("bright_black", "━", "░", "."),
)


def bar(counts: CountsBlock, width: int, look: Look) -> list[Part]:
    """Return the parts of a bar that is ``width`` cells wide; each kind with items gets at least one cell."""
    left = counts["queued"] + counts["retrying"] + counts["unprocessed"]
    cells = share_cells([counts["succeeded"], counts["failed"], counts["running"], left], width)
    glyph = 3 if not look.unicode else 1 if look.color else 2
    return [Part(kind[glyph] * count, kind[0]) for kind, count in zip(_KINDS, cells, strict=True) if count]


def share_cells(amounts: list[int], width: int) -> list[int]:
    """Split ``width`` cells in proportion; each amount gets at least one cell while there is room."""
    total = sum(amounts)
    if not total:
        return [0] * (len(amounts) - 1) + [width]
    cells = [max(1, width * amount // total) if amount else 0 for amount in amounts]
    while sum(cells) > width and max(cells) > 0:
        cells[cells.index(max(cells))] -= 1
    # The largest remainders get the cells that rounding left, so a bar is full only when all work is done.
    order = sorted(range(len(amounts)), key=lambda i: (-(width * amounts[i] % total), i))
    for index in order:
        if sum(cells) >= width:
            break
        cells[index] += 1 if amounts[index] else 0
    largest = amounts.index(max(amounts))
    cells[largest] += width - sum(cells)
    return cells
