"""The three drawings of a report: throughput over time, durations of attempts, attempts by slot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from jobctl.domain.durations import format_duration
from jobctl.domain.wording import number, plural, rate
from jobctl.render.clock import seconds_between
from jobctl.render.job.progress import cells
from jobctl.render.report.svg import Drawing, round_step, ticks, time_step

if TYPE_CHECKING:
    from jobctl.domain.documents.report import BinBlock, TimelineBlock
    from jobctl.domain.documents.status_blocks import DurationsBlock, ThroughputBlock


_WIDTH = 760
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 32, 24
_PLOT = _WIDTH - _LEFT - _RIGHT
_HEIGHT = 150
#: The margin above a drawing that has no labels there.
_LITTLE = 8
_SLOT_MIN, _SLOT_MAX, _SLOTS_HEIGHT = 2.0, 16.0, 320.0


def throughput_chart(throughput: ThroughputBlock | None) -> Drawing | None:
    """Items a second over the time of the round, failed ones on top; None before the first outcome."""
    if throughput is None:
        return None
    course = cells(throughput, 240)
    peak = max((cell.per_s for cell in course), default=0.0)
    if not peak:
        return None
    span_s = max(0.001, seconds_between(throughput["from_at"], throughput["until_at"]))
    drawing = Drawing(_WIDTH, _LITTLE + _HEIGHT + _BOTTOM, f"Throughput over {format_duration(span_s)}")
    step = round_step(peak, 4)
    top = step * math.ceil(peak / step - 1e-9)
    for value in ticks(top, step):
        y = _LITTLE + _HEIGHT * (1 - value / top)
        drawing.line((_LEFT, y), (_LEFT + _PLOT, y), "grid")
        drawing.text((_LEFT - 6, y + 4), rate(value) if value else "0", "end")
    _time_axis(drawing, span_s, _LITTLE + _HEIGHT)
    wide, floor = _PLOT / len(course), _LITTLE + _HEIGHT
    highs = [_HEIGHT * cell.per_s / top for cell in course]
    bad = [high * cell.failed for high, cell in zip(highs, course, strict=True)]
    lefts = [_LEFT + n * wide for n in range(len(course))]
    drawing.boxes(((x, floor - h + b, wide, h - b) for x, h, b in zip(lefts, highs, bad, strict=True)), "succeeded")
    drawing.boxes(((x, floor - h, wide, b) for x, h, b in zip(lefts, highs, bad, strict=True)), "failed")
    return drawing


def _time_axis(drawing: Drawing, span_s: float, y: float) -> None:
    drawing.line((_LEFT, y), (_LEFT + _PLOT, y), "axis")
    for at in ticks(span_s, time_step(span_s, 8)):
        x = _LEFT + _PLOT * at / span_s
        drawing.line((x, y), (x, y + 4), "axis")
        drawing.text((x, y + 17), format_duration(at), "middle" if at < 0.97 * span_s else "end")


class _LogAxis(NamedTuple):
    """A logarithmic axis of durations, by the logarithms of its ends."""

    low: float
    high: float

    def place(self, seconds: float) -> float:
        """The distance of a duration from the left edge of the drawing."""
        return _LEFT + _PLOT * (math.log(max(seconds, 1e-6)) - self.low) / (self.high - self.low)


def duration_chart(histogram: Sequence[BinBlock], durations: DurationsBlock) -> Drawing | None:
    """A histogram of durations on a logarithmic axis; None before the first attempt has ended."""
    if not histogram:
        return None
    low = math.log(max(histogram[0]["from_s"], 1e-6) / 1.1)
    axis = _LogAxis(low, math.log(max(histogram[-1]["below_s"], 2e-6) * 1.1))
    drawing = Drawing(_WIDTH, _TOP + _HEIGHT + _BOTTOM, f"Durations of {plural(durations['attempts'], 'attempt')}")
    _draw_bins(drawing, histogram, axis)
    _draw_durations(drawing, axis)
    for row, (name, value_s) in enumerate((("p95", durations["p95_s"]), ("p50", durations["p50_s"]))):
        if value_s is not None:
            _draw_mark(drawing, axis, row, name, value_s)
    return drawing


def _draw_bins(drawing: Drawing, histogram: Sequence[BinBlock], axis: _LogAxis) -> None:
    """Draw a bar for each bin, and the lines of the numbers of attempts behind them."""
    floor, most = _TOP + _HEIGHT, max(each["attempts"] for each in histogram)
    step = max(1.0, round_step(most, 4))
    top = step * math.ceil(most / step - 1e-9)
    for value in ticks(top, step):
        y = floor - _HEIGHT * value / top
        drawing.line((_LEFT, y), (_LEFT + _PLOT, y), "grid")
        drawing.text((_LEFT - 6, y + 4), number(int(value)), "end")
    for each in histogram:
        left, right = axis.place(each["from_s"]), axis.place(each["below_s"])
        if each["attempts"]:
            tall = _HEIGHT * each["attempts"] / top
            tip = f"{format_duration(each['from_s'])} to {format_duration(each['below_s'])}: "
            box = (left, floor - tall, max(0.5, right - left - 0.6), tall)
            drawing.rect(box, "bar", tip + plural(each["attempts"], "attempt"))


def _draw_durations(drawing: Drawing, axis: _LogAxis) -> None:
    floor = _TOP + _HEIGHT
    drawing.line((_LEFT, floor), (_LEFT + _PLOT, floor), "axis")
    for seconds in _log_ticks(math.exp(axis.low), math.exp(axis.high)):
        x = axis.place(seconds)
        drawing.line((x, floor), (x, floor + 4), "axis")
        drawing.text((x, floor + 17), _short(seconds))


def _draw_mark(drawing: Drawing, axis: _LogAxis, row: int, name: str, value_s: float) -> None:
    """Draw a dashed line at a percentile, with its name and value above it."""
    x, y = axis.place(value_s), _TOP - 5 - 13 * row
    drawing.line((x, y + 3), (x, _TOP + _HEIGHT), "mark")
    anchor = "end" if x > _LEFT + 0.8 * _PLOT else "start"
    drawing.text((x, y), f"{name} {format_duration(value_s)}", anchor, "label")


def _log_ticks(low: float, high: float) -> list[float]:
    """1, 2, 5 of every power of ten between two durations, fewer when there are many powers."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1, 2, 5) if len(powers) <= 5 else (1,)
    return [f * 10.0**p for p in powers for f in factors if low <= f * 10.0**p <= high]


def _short(seconds: float) -> str:
    if seconds < 0.0005:
        return f"{seconds * 1e6:.0f}µs"
    return format_duration(seconds)


def slots_chart(timeline: TimelineBlock, *, has_tips: bool = True) -> Drawing | None:
    """A row for every slot, a bar for every attempt; None if there are none.

    Without tips it has a fifth of the size, for a page that is sent again and again.
    """
    bars = timeline["bars"]
    if not bars:
        return None
    slots = sorted({bar["slot"] for bar in bars})
    row = min(_SLOT_MAX, max(_SLOT_MIN, _SLOTS_HEIGHT / len(slots)))
    tall = math.ceil(row * len(slots))
    span_s = max(0.001, *(bar["start_s"] + bar["duration_s"] for bar in bars))
    drawing = Drawing(
        _WIDTH, _LITTLE + tall + _BOTTOM, f"{plural(len(bars), 'attempt')} in {plural(len(slots), 'slot')}"
    )
    lines = {slot: _LITTLE + position * row for position, slot in enumerate(slots)}
    every = max(1, math.ceil(12 / row))
    for position, (slot, y) in enumerate(lines.items()):
        drawing.rect((_LEFT, y, _PLOT, row * 0.85), "lane")
        if position % every == 0:
            drawing.text((_LEFT - 6, y + row / 2 + 3.5), f"slot {slot}", "end")
    boxes: dict[str, list[tuple[float, float, float, float]]] = {}
    for bar in bars:
        box = (
            _LEFT + _PLOT * bar["start_s"] / span_s,
            lines[bar["slot"]],
            max(0.8, _PLOT * bar["duration_s"] / span_s),
            row * 0.85,
        )
        if has_tips:
            took = f"{bar['state']}, {format_duration(bar['duration_s'])}"
            drawing.rect(box, bar["state"], f"item {bar['item']}, attempt {bar['attempt']}: {took}")
        boxes.setdefault(bar["state"], []).append(box)
    for state, found in boxes.items() if not has_tips else ():
        drawing.boxes(found, state)
    _time_axis(drawing, span_s, _LITTLE + tall + 1)
    return drawing
