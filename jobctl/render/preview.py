"""The first rows of an input and the commands that they would become."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from rich.cells import cell_len
from rich.text import Text

from jobctl.render.inert import inert
from jobctl.render.look import Look, console, cut
from jobctl.render.plain import table

COMMAND = "command"
_GAP = 2
_LEAST = 6


def print_preview(
    columns: Sequence[str], rows: Sequence[Sequence[str]], commands: Sequence[str], stream: TextIO, look: Look
) -> None:
    """A table as wide as the terminal; a line below names the columns that do not fit. In a pipe, uncut TSV."""
    titles = ["item", *columns, COMMAND]
    lines = [[str(item), *row, command] for item, (row, command) in enumerate(zip(rows, commands, strict=True), 1)]
    if not look.terminal:
        stream.write(table([inert(title) for title in titles], lines) + "\n")
        return
    cells = [[inert(cell) for cell in line] for line in [titles, *lines]]
    widths = _widths(cells, look.width)
    screen = console(look, stream)
    for number, line in enumerate(cells):
        shown = [cut(line[place], width, look) for place, width in widths.items()]
        padded = [cell + " " * (width - cell_len(cell)) for cell, width in zip(shown, widths.values(), strict=True)]
        screen.print(Text((" " * _GAP).join(padded).rstrip(), style="" if number else "bold"), no_wrap=True, crop=True)
    left_out = [name for place, name in enumerate(cells[0]) if place not in widths]
    if left_out:
        screen.print(Text(f"not shown: {', '.join(left_out)}"))


def _widths(cells: Sequence[Sequence[str]], width: int) -> dict[int, int]:
    """Widths by place; the command gets at most half the screen, or the width that the columns leave."""
    natural = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    last = len(natural) - 1
    room = width - natural[0] - _GAP - min(natural[last], width // 2) - _GAP
    places = list(range(1, last))
    while places and sum(min(natural[place], _LEAST) + _GAP for place in places) > room:
        places.pop()
    widths = {0: natural[0]}
    for number, place in enumerate(places):
        after = sum(min(natural[other], _LEAST) + _GAP for other in places[number + 1 :])
        fair = max(room // (len(places) - number) - _GAP, _LEAST)
        widths[place] = min(natural[place], max(fair, 1), room - after - _GAP)
        room -= widths[place] + _GAP
    widths[last] = min(natural[last], width - sum(widths.values()) - _GAP * len(widths))
    return widths
