"""The contrast of the text that a screen of ``jobctl top`` draws, computed from its segments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rich.color import Color, ColorSystem
from rich.style import Style
from textual.strip import Strip

#: WCAG 2.2, success criteria 1.4.3 (text) and 1.4.11 (parts of a picture).
TEXT_LEAST, PICTURE_LEAST = 4.5, 3.0
#: Lines of frames and blocks of bars: pictures, not text.
_PICTURES = range(0x2500, 0x25A0)


class Faint(NamedTuple):
    """A text with too little contrast."""

    ratio: float
    text: str
    line: int
    colours: str


def faint_texts(strips: list[Strip], system: ColorSystem) -> list[Faint]:
    """The texts below the least contrast on a terminal of these colours, faintest first."""
    found = []
    for number, strip in enumerate(strips):
        for text, style in _texts(strip):
            ratio, colours = _contrast(style, system)
            least = PICTURE_LEAST if all(ord(c) in _PICTURES for c in text if c != " ") else TEXT_LEAST
            if ratio < least:
                found.append(Faint(round(ratio, 2), text.strip(), number, colours))
    return sorted(found)


def contrast_of(strip: Strip, text: str, system: ColorSystem = ColorSystem.TRUECOLOR) -> float:
    """The contrast of the segment that has this text."""
    return min(_contrast(style, system)[0] for each, style in _texts(strip) if text in each)


def _texts(strip: Strip) -> Iterator[tuple[str, Style]]:
    for segment in strip:
        if segment.text.strip():
            yield segment.text, segment.style or Style()


def _contrast(style: Style, system: ColorSystem) -> tuple[float, str]:
    front, back = (_light(colour, system) for colour in (style.color, style.bgcolor))
    if style.reverse:
        front, back = back, front
    high, low = max(front, back), min(front, back)
    ratio = (high + 0.05) / (low + 0.05)
    return (1 + (ratio - 1) / 2 if style.dim else ratio), f"{style}"


def _light(colour: Color | None, system: ColorSystem) -> float:
    """The relative luminance of a colour after the terminal has replaced it by its nearest one."""
    assert colour is not None and not colour.is_default, "a text without a colour of its own"
    shown = colour.downgrade(system).get_truecolor()
    parts = [part / 255 for part in shown]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
