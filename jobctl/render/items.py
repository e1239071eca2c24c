"""The table of items."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from rich.cells import cell_len
from rich.text import Text

from jobctl.domain.durations import format_duration
from jobctl.render.inert import inert
from jobctl.render.jobs_table import cut
from jobctl.render.look import Look, console, look_of
from jobctl.render.plain import row_text

Document = Mapping[str, Any]

_STYLES = {
    "queued": "cyan",
    "running": "yellow",
    "retrying": "magenta",
    "succeeded": "green",
    "failed": "red",
    "unprocessed": "bright_black",
}


_COLUMNS = ("item", "state", "tries", "exit", "took", "message", "result", "row")
_RIGHT = frozenset({"item", "tries", "took"})
#: Columns that take what room is left, and how it is shared between them.
_FLEXIBLE = {"message": 3, "result": 2, "row": 2}
_LEAST = 8
_GAP = 2


def print_items(items: Sequence[Document], stream: TextIO, *, color: bool) -> None:
    """Print the table; columns that are empty for all of them are left out."""
    look = look_of(stream, color=color)
    if not items:
        stream.write("no such items\n")
        return
    rows = [dict(zip(_COLUMNS, _cells(item), strict=True)) for item in items]
    widths = _widths(rows, look)
    screen = console(look, stream)
    screen.print(Text(_line({name: name for name in _COLUMNS}, widths, look)[0], style="bold"), no_wrap=True)
    for item, row in zip(items, rows, strict=True):
        text, start = _line(row, widths, look)
        line = Text(text)
        line.stylize(_STYLES[item["state"]], start, start + len(row["state"]))
        screen.print(line, no_wrap=True, crop=True)


def _widths(rows: Sequence[Mapping[str, str]], look: Look) -> dict[str, int]:
    """The columns that are not empty with their widths; the long ones share what the others leave."""
    natural = {
        name: max(len(name), *(cell_len(row[name]) for row in rows)) for name in _COLUMNS if any(r[name] for r in rows)
    }
    long = [name for name in _FLEXIBLE if name in natural]
    left = look.width - sum(width + _GAP for name, width in natural.items() if name not in long) - _GAP * len(long)
    for place, name in enumerate(long):
        rest = long[place + 1 :]
        fair = left * _FLEXIBLE[name] // sum(_FLEXIBLE[other] for other in long[place:])
        # A short column gives what it does not need to the next.
        unused = left - sum(natural[other] for other in rest)
        natural[name] = max(_LEAST, min(natural[name], max(fair, unused)))
        left -= natural[name]
    return natural


def _line(row: Mapping[str, str], widths: Mapping[str, int], look: Look) -> tuple[str, int]:
    """A line of the table and where the state begins in it."""
    cells: list[str] = []
    start = 0
    for name, width in widths.items():
        if name == "state":
            start = sum(len(cell) + _GAP for cell in cells)
        text = cut(row[name], width, look)
        padding = " " * (width - cell_len(text))
        cells.append(padding + text if name in _RIGHT else text + padding)
    return (" " * _GAP).join(cells).rstrip(), start


def _cells(item: Document) -> tuple[str, ...]:
    ended = item["signal"] or ("" if item["exit_code"] is None else str(item["exit_code"]))
    if not ended and item["code"]:
        ended = item["code"]
    return (
        str(item["item"]),
        item["state"],
        str(item["attempts"] or ""),
        ended,
        "" if item["duration_s"] is None else format_duration(item["duration_s"]),
        inert(item["message"] or ""),
        "" if item["result"] is None else inert(json.dumps(item["result"], ensure_ascii=False)),
        inert(row_text(item["row"])),
    )
