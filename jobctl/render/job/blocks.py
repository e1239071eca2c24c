"""The tables on the page of a job, for terminals: causes of failure, and running items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from jobctl.domain.wording import number
from jobctl.render.causes import CAUSE_TITLES, cause_cells, cause_text, hidden_causes
from jobctl.render.inert import inert
from jobctl.render.job.progress import GAP, ROW_MIN, running_columns, running_items, slowness
from jobctl.render.look import Look, cut

if TYPE_CHECKING:
    from jobctl.domain.documents.failures import CauseBlock
    from jobctl.domain.documents.status import StatusDocument


_LEFT = frozenset({"slow", "row"})
#: The lines of a terminal that one message may take, about.
_MESSAGE_LINES = 3


def failures_block(document: StatusDocument, look: Look, limit: int | None = None) -> RenderableType | None:
    """The causes of failure, most frequent first, at most ``limit`` of them."""
    failures = document["failures"]
    shown = failures["groups"][:limit]
    if not failures["groups"] or limit == 0:
        return None
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, pad_edge=False, header_style="bold")
    table.add_column("failed", justify="right", no_wrap=True)
    table.add_column("cause", no_wrap=True)
    table.add_column("message", overflow="fold", ratio=1)
    table.add_column("as in item", overflow="fold")
    for group in shown:
        table.add_row(*_failure_cells(_shortened(group, look)))
    lines: list[RenderableType] = [table]
    hidden = hidden_causes(document, len(shown))
    if hidden:
        lines.append(Text(f"{look.ellipsis} and {hidden}", style="bright_black"))
    return Group(*lines)


def _shortened(group: CauseBlock, look: Look) -> CauseBlock:
    """The cause with a short message: a long one would push the state of the job off the screen of a terminal."""
    if not look.terminal:
        return group
    return {
        **group,
        "example": None,
        "message": cut(inert(cause_text(group)), _MESSAGE_LINES * max(ROW_MIN, look.width // 2), look),
    }


def failure_cells(groups: Sequence[CauseBlock], look: Look) -> tuple[list[Text], list[list[Text]]]:
    """The titles and the rows of a table of causes, padded; the message gets the width that other columns leave."""
    rows = [_failure_cells(group) for group in groups]
    titles = CAUSE_TITLES
    widths = [max([len(title), *(row[place].cell_len for row in rows)]) for place, title in enumerate(titles)]
    widths[2] = min(widths[2], max(ROW_MIN, look.width - sum(widths) + widths[2] - 3 * GAP))
    for row in rows:
        row[0].pad_left(widths[0] - row[0].cell_len)
        if row[2].cell_len > widths[2]:
            row[2].truncate(widths[2] - len(look.ellipsis))
            row[2].append(look.ellipsis)
        for cell, width in zip(row, widths, strict=True):
            cell.pad_right(width - cell.cell_len)
    return [Text(title.ljust(width)) for title, width in zip(titles, widths, strict=True)], rows


def _failure_cells(group: CauseBlock) -> list[Text]:
    count, code, message, note, samples = cause_cells(group)
    text = Text(message).append(note, style="bright_black")
    return [Text(count, style="red" if group["count"] else "yellow"), Text(code), text, Text(samples)]


def running_block(document: StatusDocument, look: Look, limit: int = 8) -> RenderableType | None:
    """The running items, longest first, with a mark at those that are slower than usual."""
    shown = running_items(document)[:limit]
    if not shown:
        return None
    marks = [slowness(item["elapsed_s"], document.get("durations")) for item in shown]
    columns = running_columns(shown, marks, look)
    table = Table(box=None, padding=(0, GAP, 0, 0), show_edge=False, pad_edge=False, header_style="bold")
    for title in columns:
        table.add_column(title, justify="left" if title in _LEFT else "right", no_wrap=True)
    for cells, mark in zip(zip(*columns.values(), strict=True), marks, strict=True):
        yellow = "yellow" if mark else ""
        styles = ("" if title not in ("for", "slow") else yellow for title in columns)
        table.add_row(*(Text(cell, style=style) for cell, style in zip(cells, styles, strict=True)))
    hidden = document["counts"]["running"] - len(shown)
    if hidden <= 0:
        return table
    return Group(table, Text(f"{look.ellipsis} and {number(hidden)} more", style="bright_black"))
