"""Draws a plot with two logarithmic axes as an SVG that loads nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 210, 46, 56
COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b")
Line = Sequence[tuple[float, float]]
_STYLE = "text{font:13px sans-serif;fill:#333}.grid{stroke:#ddd}.axis{stroke:#333}path{fill:none;stroke-width:2}"


def svg(title: str, x_title: str, y_title: str, lines: Mapping[str, Line]) -> str:
    """Draw lines by name, each with its points (x, y), all above zero."""
    xs = _decades([x for line in lines.values() for x, _ in line])
    ys = _decades([y for line in lines.values() for _, y in line])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="26" font-weight="bold">{escape(title)}</text>',
        *_grid(xs, ys),
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 12}" text-anchor="middle">{escape(x_title)}</text>',
        f'<text transform="translate(18 {(TOP + HEIGHT - BOTTOM) / 2:.0f}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_title)}</text>",
    ]
    names = sorted(lines, key=lambda name: -lines[name][-1][1])
    places = _apart([_at(lines[name][-1][1], ys, HEIGHT - BOTTOM, TOP) for name in names])
    for number, (name, place) in enumerate(zip(names, places, strict=True)):
        parts += _line(name, lines[name], (xs, ys), place, COLORS[number % len(COLORS)])
    return "\n".join([*parts, "</svg>\n"])


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """Return the powers of ten around all values."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _at(value: float, decades: tuple[int, int], first: float, last: float) -> float:
    low, high = decades
    return first + (math.log10(value) - low) / (high - low) * (last - first)


def _grid(xs: tuple[int, int], ys: tuple[int, int]) -> Iterator[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    for power in range(xs[0], xs[1] + 1):
        x = _at(10**power, xs, LEFT, right)
        yield f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{10**power:,}</text>'
    for power in range(ys[0], ys[1] + 1):
        y = _at(10**power, ys, bottom, TOP)
        yield f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10**power:,}</text>'
    yield f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}"/>'


def _apart(places: Sequence[float]) -> list[float]:
    """Move names, which are at the ends of their lines, apart so that they do not overlap; ``places`` ascend."""
    apart: list[float] = []
    for place in places:
        apart.append(max(place, apart[-1] + 16) if apart else place)
    return apart


def _line(
    name: str, points: Line, decades: tuple[tuple[int, int], tuple[int, int]], place: float, color: str
) -> list[str]:
    ends = [
        (_at(x, decades[0], LEFT, WIDTH - RIGHT), _at(y, decades[1], HEIGHT - BOTTOM, TOP)) for x, y in sorted(points)
    ]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in ends)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"/>' for x, y in ends]
    label = f'<text x="{WIDTH - RIGHT + 12}" y="{place + 4:.1f}" style="fill:{color}">{escape(name)}</text>'
    return [f'<path d="M{path}" stroke="{color}"/>', *dots, label]
