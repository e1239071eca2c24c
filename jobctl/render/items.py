"""The table of items."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from jobctl.domain.durations import format_duration
from jobctl.render.inert import inert
from jobctl.render.look import console, look_of

Document = Mapping[str, Any]

TITLES = ("item", "state", "attempts", "exit_code", "signal", "duration_s", "started_at", "code", "message", "row")

_STYLES = {
    "queued": "cyan",
    "running": "yellow",
    "retrying": "magenta",
    "succeeded": "green",
    "failed": "red",
    "unprocessed": "bright_black",
}


def tsv(item: Document) -> str:
    """An item as one record for a pipe."""
    values = [item[title] for title in TITLES[:-1]]
    return "\t".join("" if value is None else inert(str(value)) for value in (*values, row_text(item["row"])))


def row_text(row: Any) -> str:
    """A row in one line: its values for a table, the text of a line, JSON for a JSON line."""
    if isinstance(row, str):
        return row
    if isinstance(row, dict) and all(isinstance(value, str) for value in row.values()):
        return ", ".join(row.values())
    return json.dumps(row, ensure_ascii=False)


def print_items(items: Sequence[Document], stream: TextIO, *, color: bool) -> None:
    """Print the table; columns that are empty for all of them are left out."""
    from rich.table import Table
    from rich.text import Text

    look = look_of(stream, color=color)
    if not items:
        stream.write("no such items\n")
        return
    rows = [_cells(item) for item in items]
    titles = ("item", "state", "tries", "exit", "took", "message", "row")
    shown = [i for i in range(len(titles)) if any(row[i] for row in rows)]
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, pad_edge=False, header_style="bold")
    for index in shown:
        flexible = titles[index] in ("message", "row")
        right = titles[index] in ("item", "tries", "took")
        table.add_column(
            titles[index],
            justify="right" if right else "left",
            no_wrap=True,
            overflow="ellipsis" if look.unicode else "crop",
            ratio=(3 if titles[index] == "message" else 2) if flexible and look.terminal else None,
        )
    for item, row in zip(items, rows, strict=True):
        table.add_row(*(Text(row[i], style=_STYLES[item["state"]] if titles[i] == "state" else "") for i in shown))
    console(look, stream).print(table)


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
        inert(row_text(item["row"])),
    )
