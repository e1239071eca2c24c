"""The page of one job, readable at 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from jobctl.domain.wording import rate
from jobctl.render.bar import bar
from jobctl.render.inert import inert
from jobctl.render.job.blocks import failures_block, running_block
from jobctl.render.job.facts import fact_lines
from jobctl.render.job.progress import (
    BAR_MAX,
    BAR_MIN,
    CURVE_MAX,
    CURVE_MIN,
    Cell,
    counter_texts,
    curve_cells,
    duration_figures,
    progress_facts,
    slowest_line,
    title_texts,
)
from jobctl.render.look import STATE_STYLES, Look
from jobctl.render.notices import notice_text

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument


_LEVELS = "▁▂▃▄▅▆▇█"
_ASCII_LEVELS = "_.:-=+*#"
#: A screen with this many lines has room for more than the essentials.
_ROOMY = 20
_INDENT = (0, 0, 0, 2)


def job_page(document: StatusDocument, look: Look, running: int = 8) -> RenderableType:
    """The page of a status document, with at most ``running`` running items."""
    blocks: list[RenderableType] = [job_title(document, look), *overview(document, look)]
    for block in (failures_block(document, look), running_block(document, look, running), _facts(document, look)):
        if block is not None:
            blocks += [Text(""), block]
    return Group(*blocks)


def overview(document: StatusDocument, look: Look) -> Iterator[RenderableType]:
    """The sentence, the bar, the counters, the pace, and the notices."""
    yield Text(inert(document["state_reason"]))
    yield Text("")
    yield _bar_line(document, look)
    yield counters(document, look)
    pace = pace_line(document, look)
    if pace is not None:
        yield pace
    slowest = slowest_line(document, look) if look.height >= _ROOMY else ""
    if slowest:
        yield Text(slowest)
    attention = document["attention"]
    if attention:
        yield Text("")
    for found in attention:
        yield notice_text(found["message"], look)
        yield Padding(Text(inert(found["action"]), style="bold"), _INDENT)


def job_title(document: StatusDocument, look: Look) -> Text:
    """Number, name, state, round."""
    job, name, state, later = title_texts(document, look)
    return Text.assemble((job, "bold"), "  ", (name, "bold"), "  ", (state, STATE_STYLES.get(state, "")), later)


def _bar_line(document: StatusDocument, look: Look) -> Text:
    text = "  ".join(progress_facts(document, look))
    width = max(BAR_MIN, min(BAR_MAX, look.width - len(text) - 2))
    return Text.assemble(*bar(document["counts"], width, look), "  ", text)


def counters(document: StatusDocument, look: Look) -> Text:
    """The counters that are not zero."""
    styles = {"succeeded": "green", "failed": "red", "running": "yellow", "rejected": "red"}
    parts: list[Any] = []
    for name, text in counter_texts(document).items():
        parts += [look.dash if parts else "", (text, styles.get(name, ""))]
    return Text.assemble(*parts)


def pace_line(document: StatusDocument, look: Look) -> Text | None:
    """A curve of small bars, and the throughput and durations of a job; None before the first attempt has ended."""
    figures = Text(look.dash.join(duration_figures(document)))
    room = min(CURVE_MAX, look.width - figures.cell_len - len("  peak 123,456/s") - len(look.dash))
    shown = curve_cells(document, max(CURVE_MIN, room))
    if not shown:
        return figures if figures.plain else None
    peak = max(cell.per_s for cell in shown)
    facts = Text(f"peak {rate(peak)}") if peak else Text()
    if facts.plain and figures.plain:
        facts.append(look.dash)
    return Text.assemble(curve(shown, look), "  ", facts, figures)


def curve(course: Sequence[Cell], look: Look) -> Text:
    """The cells as bars against the highest one; the lowest bar means that nothing ended."""
    levels = _LEVELS if look.unicode else _ASCII_LEVELS
    peak = max((cell.per_s for cell in course), default=0.0)
    text = Text(no_wrap=True)
    for cell in course:
        level = 0 if not cell.per_s else 1 + round((len(levels) - 2) * cell.per_s / peak)
        text.append(levels[level], style="red" if cell.failed >= 0.5 else "green" if cell.per_s else "bright_black")
    return text


def _facts(document: StatusDocument, look: Look) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(overflow="fold")
    for label, text in fact_lines(document, look):
        grid.add_row(label, Text(inert(text)))
    return grid
