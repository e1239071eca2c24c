"""Small tables: aligned on a terminal, tab-separated for programs. Nothing is cut, because people copy the cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from rich.cells import cell_len

from jobctl.render.inert import inert
from jobctl.render.look import Look
from jobctl.render.plain import table

_GAP = "  "


def print_grid(titles: Sequence[str], rows: Sequence[Sequence[object]], stream: TextIO, look: Look) -> None:
    """Print rows below their titles; numbers are aligned to the right, None is empty."""
    if not look.terminal:
        stream.write(table(titles, rows) + "\n")
        return
    lines = [list(titles), *([inert(_text(cell)) for cell in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    numeric = [all(isinstance(row[place], int | None) for row in rows) for place in range(len(titles))]
    for line in lines:
        text = _GAP.join(map(_aligned, line, widths, numeric)).rstrip()
        stream.write(f"\x1b[1m{text}\x1b[0m\n" if look.color and line is lines[0] else text + "\n")


def _aligned(cell: str, width: int, to_the_right: bool) -> str:
    missing = " " * (width - cell_len(cell))
    return missing + cell if to_the_right else cell + missing


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)
