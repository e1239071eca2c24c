"""The parts of the page of a job that change while it runs: causes of failure, and running items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from jobctl.domain.durations import format_duration
from jobctl.domain.wording import number
from jobctl.render.causes import cause_text, hidden_causes
from jobctl.render.inert import inert
from jobctl.render.jobs_table import cut
from jobctl.render.look import Look

if TYPE_CHECKING:
    from jobctl.domain.documents.failures import CauseBlock
    from jobctl.domain.documents.status import StatusDocument
    from jobctl.domain.documents.status_blocks import DurationsBlock, RunningBlock


FAILURE_TITLES = ("failed", "cause", "message", "as in item")
#: With fewer attempts nobody can tell slow items from usual ones.
_ENOUGH = 20
_GAP = 2
_LEFT = frozenset({"slow", "row"})
#: The width of a screen that has room for process numbers, and the least width of a row.
_WIDE, _ROW_MIN = 100, 8
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


def failure_rows(groups: Sequence[CauseBlock]) -> tuple[tuple[str, ...], list[list[str]]]:
    """The titles and the rows of the table of causes, uncut."""
    return FAILURE_TITLES, [[cell.plain for cell in _failure_cells(group)] for group in groups]


def _shortened(group: CauseBlock, look: Look) -> CauseBlock:
    """The cause with a short message: a long one would push the state of the job off the screen of a terminal."""
    if not look.terminal:
        return group
    return {
        **group,
        "example": None,
        "message": cut(inert(cause_text(group)), _MESSAGE_LINES * max(_ROW_MIN, look.width // 2), look),
    }


def failure_cells(groups: Sequence[CauseBlock], look: Look) -> tuple[list[Text], list[list[Text]]]:
    """The titles and the rows of a table of causes; the message gets the width that the other columns leave."""
    rows = [_failure_cells(group) for group in groups]
    titles = FAILURE_TITLES
    widths = [max([len(title), *(row[place].cell_len for row in rows)]) for place, title in enumerate(titles)]
    widths[2] = min(widths[2], max(_ROW_MIN, look.width - sum(widths) + widths[2] - 3 * _GAP))
    for row in rows:
        row[0].pad_left(widths[0] - row[0].cell_len)
        if row[2].cell_len > widths[2]:
            row[2].truncate(widths[2] - len(look.ellipsis))
            row[2].append(look.ellipsis)
    return [Text(title.ljust(width)) for title, width in zip(titles, widths, strict=True)], rows


def _failure_cells(group: CauseBlock) -> list[Text]:
    count = Text(number(group["count"]) if group["count"] else "retry", style="red" if group["count"] else "yellow")
    notes = []
    if not group["retryable"]:
        notes.append("permanent")
    if group["outcome"] == "unknown":
        notes.append("outcome unknown")
    message = Text(inert(cause_text(group)))
    if notes:
        message.append(f" ({', '.join(notes)})", style="bright_black")
    samples = ", ".join(str(item) for item in group["sample_items"][:3])
    return [count, Text(inert(group["code"])), message, Text(samples)]


def running_block(document: StatusDocument, look: Look, limit: int = 8) -> RenderableType | None:
    """The running items, longest first, with a mark at those that are slower than usual."""
    running = sorted(document["running"], key=lambda r: -r["elapsed_s"])
    # Without a daemon these are the items that ran when it ended: their durations are unknown.
    if not running or document["daemon"]["state"] == "down" or limit == 0:
        return None
    shown = running[:limit]
    marks = [slowness(item["elapsed_s"], document.get("durations")) for item in shown]
    columns = _running_columns(shown, marks, look)
    table = Table(box=None, padding=(0, _GAP, 0, 0), show_edge=False, pad_edge=False, header_style="bold")
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


def running_rows(document: StatusDocument, look: Look) -> tuple[list[str], list[tuple[str, ...]]] | None:
    """The titles and the rows of all running items, uncut, longest first; None if there are none."""
    running = sorted(document["running"], key=lambda r: -r["elapsed_s"])
    if not running or document["daemon"]["state"] == "down":
        return None
    marks = [slowness(item["elapsed_s"], document.get("durations")) for item in running]
    columns = _running_columns(running, marks, look)
    return list(columns), list(zip(*columns.values(), strict=True))


def _running_columns(shown: Sequence[RunningBlock], marks: Sequence[str], look: Look) -> dict[str, list[str]]:
    """The columns that are not empty; the row gets the remaining width, process numbers need a wide screen."""
    columns = {
        "running": [str(item["item"]) for item in shown],
        "slot": ["" if item["slot"] is None else str(item["slot"]) for item in shown],
        "attempt": [str(item["attempt"]) for item in shown],
        "for": [format_duration(item["elapsed_s"]) for item in shown],
        "host": [inert(item.get("host") or "") for item in shown],
        "process": [str(item["pid"] or "") for item in shown],
        "slow": list(marks),
    }
    if look.width < _WIDE:
        del columns["process"]
    columns = {
        title: cells for title, cells in columns.items() if title not in ("slow", "host", "process") or any(cells)
    }
    taken = sum(max(len(title), *map(len, cells)) + _GAP for title, cells in columns.items())
    room = look.width - taken
    rows = [cut(inert(item["row_text"]), room, look) for item in shown] if room >= _ROW_MIN else []
    return columns | {"row": rows} if any(rows) else columns


def slowest_line(document: StatusDocument, look: Look) -> Text | None:
    """The attempts that took longest, as many as fit on a line; None while too few attempts have ended."""
    durations = document.get("durations")
    if not durations or durations["attempts"] < _ENOUGH or not durations["slowest"]:
        return None
    facts: list[str] = []
    for slow in durations["slowest"]:
        fact = f"item {slow['item']} {format_duration(slow['duration_s'])}"
        if len("slowest  " + look.dash.join([*facts, fact])) > look.width:
            break
        facts.append(fact)
    return Text("slowest  " + look.dash.join(facts)) if facts else None


def slowness(elapsed_s: float, durations: DurationsBlock | None) -> str:
    """``over max``, ``over p95``, or empty for a usual duration and while too few attempts have ended."""
    if not durations or durations["attempts"] < _ENOUGH:
        return ""
    if elapsed_s > (durations["max_s"] or 0):
        return "over max"
    return "over p95" if elapsed_s > (durations["p95_s"] or 0) else ""
