"""The parts of a drawing: axes with round figures, rectangles, text. All text is escaped; classes give the colours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape

from jobctl.render.inert import inert

#: Steps of an axis of time, in seconds.
_TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


def text_of(value: object) -> str:
    """A value as text of a document: control characters visible, markup harmless."""
    return escaped(inert(str(value)))


def escaped(text: str) -> str:
    """The one function that makes markup of text, of which no part can act; for several lines, such as a log."""
    return escape(text)


@dataclass(slots=True)
class Drawing:
    """An image that scales with the page; it has its own units of length."""

    width: int
    height: int
    title: str
    parts: list[str] = field(default_factory=list)

    def rect(self, box: tuple[float, float, float, float], kind: str, tip: str = "") -> None:
        """A filled box: left, top, width, height."""
        x, y, width, height = (f"{value:.5g}" for value in box)
        shape = f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}"'
        self.parts.append(f"{shape}><title>{text_of(tip)}</title></rect>" if tip else f"{shape}/>")

    def boxes(self, boxes: Iterable[tuple[float, float, float, float]], kind: str) -> None:
        """Many boxes of one kind as one shape."""
        path = "".join(f"M{x:.5g} {y:.5g}h{w:.4g}v{h:.5g}h{-w:.4g}z" for x, y, w, h in boxes if h > 0 and w > 0)
        if path:
            self.parts.append(f'<path class="{kind}" d="{path}"/>')

    def line(self, start: tuple[float, float], end: tuple[float, float], kind: str) -> None:
        """A straight line."""
        (x1, y1), (x2, y2) = start, end
        self.parts.append(f'<line class="{kind}" x1="{x1:.5g}" y1="{y1:.5g}" x2="{x2:.5g}" y2="{y2:.5g}"/>')

    def text(self, at: tuple[float, float], words: str, anchor: str = "middle", kind: str = "tick") -> None:
        """Words; ``anchor`` is start, middle or end."""
        self.parts.append(
            f'<text class="{kind}" x="{at[0]:.5g}" y="{at[1]:.5g}" text-anchor="{anchor}">{text_of(words)}</text>'
        )

    def markup(self) -> str:
        """The image as part of an HTML page."""
        head = f'<svg viewBox="0 0 {self.width} {self.height}" role="img"><title>{text_of(self.title)}</title>'
        return "\n".join([head, *self.parts, "</svg>"])


def round_step(span: float, count: int) -> float:
    """The smallest of 1, 2, 5, 10... that goes into a span at most ``count`` times."""
    raw = max(span, 1e-9) / count
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999999)


def time_step(span_s: float, count: int) -> float:
    """The same for time: 1, 2, 5, 10, 15, 30 seconds, minutes, hours, days."""
    raw = span_s / count
    if raw <= _TIME_STEPS[0]:
        return round_step(span_s, count)
    if raw > _TIME_STEPS[-1]:
        return 86_400 * max(1.0, round_step(span_s / 86_400, count))
    return next(float(step) for step in _TIME_STEPS if step >= raw)


def ticks(end: float, step: float) -> Iterator[float]:
    """0, step, 2 step... up to the end."""
    for n in range(int(end / step + 1e-6) + 1):
        yield n * step
