"""A bar whose parts are outcomes: succeeded, failed, running, left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from jobctl.render.look import Look


class Part(NamedTuple):
    """So many cells of one kind."""

    text: str
    style: str


#: (counters, style, character in colour, without colour, in ASCII)
_KINDS = (
    (("succeeded",), "green", "━", "█", "="),
    (("failed",), "red", "━", "x", "x"),
    (("running",), "yellow", "━", "▒", ">"),
    (("queued", "retrying", "unprocessed"), "bright_black", "━", "░", "."),
)


def bar(counts: Mapping[str, int], width: int, look: Look) -> list[Part]:
    """The parts of a bar that is ``width`` cells wide; whatever there is shows with at least one cell."""
    amounts = [sum(counts.get(name, 0) for name in names) for names, *_ in _KINDS]
    cells = share_cells(amounts, width)
    glyph = 4 if not look.unicode else 2 if look.color else 3
    return [Part(str(kind[glyph]) * count, str(kind[1])) for kind, count in zip(_KINDS, cells, strict=True) if count]


def share_cells(amounts: list[int], width: int) -> list[int]:
    """Split ``width`` cells in proportion; nothing that exists is left out while there is room."""
    total = sum(amounts)
    if not total:
        return [0] * (len(amounts) - 1) + [width]
    cells = [max(1, width * amount // total) if amount else 0 for amount in amounts]
    while sum(cells) > width and max(cells) > 0:
        cells[cells.index(max(cells))] -= 1
    # What rounding left over goes to the largest remainders, so a bar is full only when the work is done.
    order = sorted(range(len(amounts)), key=lambda i: (-(width * amounts[i] % total), i))
    for index in order:
        if sum(cells) >= width:
            break
        cells[index] += 1 if amounts[index] else 0
    largest = amounts.index(max(amounts))
    cells[largest] += width - sum(cells)
    return cells
