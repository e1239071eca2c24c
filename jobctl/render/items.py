"""The table of ``jobctl items`` for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TextIO

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style
from rich.text import Text

from jobctl.domain.durations import format_duration
from jobctl.domain.wording import plural
from jobctl.render.inert import inert
from jobctl.render.look import Look, console, cut
from jobctl.render.plain import row_text

if TYPE_CHECKING:
    from jobctl.domain.documents.items import ItemBlock


_STYLES = {
    "queued": "cyan",
    "running": "yellow",
    "retrying": "magenta",
    "succeeded": "green",
    "failed": "red",
    "unprocessed": "bright_black",
}


_COLUMNS = ("item", "state", "attempts", "exit", "took", "message", "result", "row")
_RIGHT = frozenset({"item", "attempts", "took"})
#: Columns that share the remaining width, and their shares.
_FLEXIBLE = {"message": 3, "result": 2, "row": 2}
_LEAST = 8
_GAP = 2
_END = "\x1b[0m"


def print_items(items: Sequence[ItemBlock], stream: TextIO, look: Look) -> None:
    """Print the table without the columns that are empty for every item."""
    if not items:
        stream.write("no such items\n")
        return
    print_pages([items], stream, look)


def print_pages(pages: Iterable[Sequence[ItemBlock]], stream: TextIO, look: Look) -> None:
    """Print the table of a list of any length, page by page, so that it is never held in memory.

    A page that needs wider or other columns than those before it has titles of its own.
    """
    screen, gap = console(look, stream), Text(" " * _GAP)
    widest: dict[str, int] = {}
    shown = ""
    for items in filter(None, pages):
        cells, rows = item_cells(items, look, widest)
        titles = gap.join(cells).plain
        for line in rows if titles == shown else (cells, *rows):
            if len(titles) <= look.width:
                stream.write(f"{_line(line, look)}\n")
                continue
            text = gap.join(line)
            text.rstrip()
            screen.print(text, no_wrap=True, crop=True)
        shown = titles


def _line(cells: Sequence[Text], look: Look) -> str:
    """A line that fits, as rich would print it. For a million lines, rich takes too long."""
    parts = [cell.plain for cell in cells]
    last = max((place for place, part in enumerate(parts) if part.strip()), default=-1)
    parts = [*parts[:last], *(part.rstrip() for part in parts[last : last + 1])]
    if look.color:
        styled = zip(parts, cells, strict=False)
        parts = [f"{_mark(str(cell.style))}{part}{_END if cell.style else ''}" for part, cell in styled]
    return (" " * _GAP).join(parts)


@lru_cache
def _mark(style: str) -> str:
    """The characters that begin a style; every terminal with colours has those of these styles."""
    return Style.parse(style).render("x", color_system=ColorSystem.STANDARD).partition("x")[0] if style else ""


def item_cells(
    items: Sequence[ItemBlock], look: Look, widest: dict[str, int] | None = None
) -> tuple[list[Text], list[list[Text]]]:
    """The titles and the rows of some items, each cell as wide as its column; two spaces belong between columns.

    ``widest`` keeps the width that each column of a longer list needed so far, so that columns do not become narrower
    or vanish when the next part of the list is shown.
    """
    rows = [dict(zip(_COLUMNS, _texts(item), strict=True)) for item in items]
    widths = _widths(rows, look, {} if widest is None else widest)
    titles = [_cell(name, name, width, look, "bold") for name, width in widths.items()]
    found = []
    for item, row in zip(items, rows, strict=True):
        styles = {"state": _STYLES[item["state"]]}
        found.append([_cell(name, row[name], width, look, styles.get(name, "")) for name, width in widths.items()])
    return titles, found


def _widths(rows: Sequence[Mapping[str, str]], look: Look, widest: dict[str, int]) -> dict[str, int]:
    """The columns that are not empty, with their widths; the long ones share the width that the others leave."""
    for name in _COLUMNS:
        if name in widest or not rows or any(row[name] for row in rows):
            widest[name] = max([len(name), widest.get(name, 0), *(cell_len(row[name]) for row in rows)])
    natural = {name: widest[name] for name in _COLUMNS if name in widest}
    long = [name for name in _FLEXIBLE if name in natural]
    left = look.width - sum(width + _GAP for name, width in natural.items() if name not in long) - _GAP * len(long)
    for place, name in enumerate(long):
        rest = long[place + 1 :]
        fair = left * _FLEXIBLE[name] // sum(_FLEXIBLE[other] for other in long[place:])
        # A short column leaves the rest of its share to the next one.
        unused = left - sum(natural[other] for other in rest)
        natural[name] = max(_LEAST, min(natural[name], max(fair, unused)))
        left -= natural[name]
    return natural


def _cell(name: str, text: str, width: int, look: Look, style: str) -> Text:
    cell = Text(cut(text, width, look), style=style)
    missing = max(0, width - cell.cell_len)
    (cell.pad_left if name in _RIGHT else cell.pad_right)(missing)
    return cell


def _texts(item: ItemBlock) -> tuple[str, ...]:
    ended = item["signal"] or ("" if item["exit_code"] is None else str(item["exit_code"]))
    if not ended and item["code"]:
        ended = item["code"]
    return (
        str(item["item"]),
        item["state"],
        str(item["attempts"] or ""),
        ended,
        "" if item["duration_s"] is None else format_duration(item["duration_s"]),
        inert(item["message"] or _left(item) or _undo(item)),
        "" if item["result"] is None else inert(json.dumps(item["result"], ensure_ascii=False)),
        inert(row_text(item["row"])),
    )


def _undo(item: ItemBlock) -> str:
    undo = item.get("undo")
    if not undo:
        return ""
    name = f"{undo['job']}.{undo['item']}"
    return f"taken back by {name}" if undo["state"] == "succeeded" else f"undo {undo['state']}: {name}"


def _left(item: ItemBlock) -> str:
    left = item.get("left_behind")
    if not left:
        return ""
    what = f"left {plural(left['processes'], 'process', 'processes')} behind, ended"
    return f"{what}: {left['names']}" if left["names"] else what
