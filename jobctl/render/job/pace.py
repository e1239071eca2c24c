"""The speed of a job and the durations of its attempts on one line: a curve of small bars, and figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from jobctl.domain.durations import format_duration
from jobctl.domain.wording import rate
from jobctl.render.clock import seconds_between
from jobctl.render.look import Look

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument
    from jobctl.domain.documents.status_blocks import DurationsBlock, ThroughputBlock


_LEVELS = "▁▂▃▄▅▆▇█"
_ASCII_LEVELS = "_.:-=+*#"
_CURVE_MIN, _CURVE_MAX = 8, 60
#: With fewer outcomes every bar would be a peak, and one bar alone compares with nothing.
_ENOUGH = 10


class Cell(NamedTuple):
    """One bar of the curve."""

    per_s: float  # items that got their outcome
    failed: float  # share of them


def cells(throughput: ThroughputBlock, width: int) -> list[Cell]:
    """The course of a round in at most ``width`` equal cells; a short rest at the end joins the cell before it."""
    good, bad, length = throughput["succeeded"], throughput["failed"], throughput["bucket_s"]
    each = -(-len(good) // width) or 1
    span_s = seconds_between(throughput["from_at"], throughput["until_at"])
    starts = list(range(0, len(good), each))
    if len(starts) > 1 and span_s - starts[-1] * length < each * length / 2:
        del starts[-1]
    found = []
    for start, end in zip(starts, [*starts[1:], len(good)], strict=True):
        failed = sum(bad[start:end])
        total = sum(good[start:end]) + failed
        lasted_s = max(min(end * length, span_s) - start * length, length / 2)
        found.append(Cell(total / lasted_s, failed / total if total else 0.0))
    return found


def curve(course: Sequence[Cell], look: Look) -> Text:
    """The cells as bars against the highest one; the lowest bar means that nothing ended."""
    levels = _LEVELS if look.unicode else _ASCII_LEVELS
    peak = max((cell.per_s for cell in course), default=0.0)
    text = Text(no_wrap=True)
    for cell in course:
        level = 0 if not cell.per_s else 1 + round((len(levels) - 2) * cell.per_s / peak)
        text.append(levels[level], style="red" if cell.failed >= 0.5 else "green" if cell.per_s else "bright_black")
    return text


def pace_line(document: StatusDocument, look: Look) -> Text | None:
    """Throughput and durations of a job; None before the first attempt has ended."""
    figures = Text(look.dash.join(_figures(document.get("durations"))))
    course = document.get("throughput")
    room = min(_CURVE_MAX, look.width - figures.cell_len - len("  peak 123,456/s") - len(look.dash))
    shown = cells(course, max(_CURVE_MIN, room)) if course and _outcomes(course) >= _ENOUGH else []
    if len(shown) < 2:
        return figures if figures.plain else None
    peak = max(cell.per_s for cell in shown)
    facts = Text(f"peak {rate(peak)}") if peak else Text()
    if facts.plain and figures.plain:
        facts.append(look.dash)
    return Text.assemble(curve(shown, look), "  ", facts, figures)


def figures_line(document: StatusDocument, look: Look) -> str:
    """The same without the curve; empty before there are figures."""
    course = document.get("throughput")
    shown = cells(course, _CURVE_MAX) if course and _outcomes(course) >= _ENOUGH else []
    peak = max((cell.per_s for cell in shown), default=0.0) if len(shown) > 1 else 0.0
    return look.dash.join([*([f"peak {rate(peak)}"] if peak else []), *_figures(document.get("durations"))])


def _outcomes(throughput: ThroughputBlock) -> int:
    return sum(throughput["succeeded"]) + sum(throughput["failed"])


def _figures(durations: DurationsBlock | None) -> list[str]:
    if (
        not durations or not durations["attempts"] or not durations["max_s"]
    ):  # no attempt has run yet, or none could be started
        return []
    figures = [("p50", durations["p50_s"]), ("p95", durations["p95_s"]), ("max", durations["max_s"])]
    # A percentile of a few attempts says less than the longest one.
    shown = figures if durations["attempts"] >= 5 else figures[-1:]
    return [f"{name} {format_duration(value)}" for name, value in shown if value is not None]
