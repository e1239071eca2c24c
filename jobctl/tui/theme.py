"""The colours of ``jobctl top``, a dark and a light theme.

Every text has a contrast of at least 4.5 to 1 on its background, also without colours, and after a terminal of 256 or
16 colours has replaced each colour by its nearest one (``tests/tui/test_contrast.py``). So the colours of states are
light on black or dark on white. A row under the cursor has one colour of text, because no background suits all states.
"""

from __future__ import annotations

import os

from rich.terminal_theme import TerminalTheme
from textual.theme import Theme

#: Names of the themes.
DARK, LIGHT = "jobctl-dark", "jobctl-light"


def _theme(name: str, *, dark: bool, page: str, text: str, faint: str, mark: str, alarm: str) -> Theme:
    """A theme: the colours of the page, its text, text of less weight, marked parts and dangers."""
    return Theme(
        name=name,
        dark=dark,
        primary=mark,
        secondary=mark,
        accent=mark,
        warning=mark,
        error=alarm,
        success=mark,
        foreground=text,
        background=page,
        surface=page,
        panel=page,
        boost=page,
        text_alpha=1.0,
        variables={
            "text": text,
            "text-muted": faint,
            "text-disabled": faint,
            "text-error": alarm,
            "text-warning": text,
            "text-success": text,
            "block-cursor-background": mark,
            "block-cursor-foreground": page,
            "block-cursor-text-style": "bold",
            "block-cursor-blurred-background": faint,
            "block-cursor-blurred-foreground": page,
            "input-cursor-background": text,
            "input-cursor-foreground": page,
            "input-selection-background": faint,
            "input-selection-foreground": page,
            "screen-selection-background": mark,
            "screen-selection-foreground": page,
            "border": mark,
            "border-blurred": faint,
            "scrollbar": faint,
            "scrollbar-hover": mark,
            "scrollbar-active": mark,
            "scrollbar-background": page,
            "scrollbar-background-hover": page,
            "scrollbar-background-active": page,
            "scrollbar-corner-color": page,
            "link-color": mark,
        },
    )


THEMES = (
    _theme(DARK, dark=True, page="#000000", text="#f0f0f0", faint="#b0b0b0", mark="#7fe0ff", alarm="#ff7a7a"),
    _theme(LIGHT, dark=False, page="#ffffff", text="#101010", faint="#2a2a2a", mark="#0000a0", alarm="#a00000"),
)

_Colour = tuple[int, int, int]


def _named(page: _Colour, text: _Colour, faint: _Colour, *hues: _Colour) -> TerminalTheme:
    """The colours of the names red, green, yellow, blue, magenta, cyan."""
    return TerminalTheme(page, text, [page, *hues, text], [faint, *hues, text])


NAMED_DARK = _named(
    (0, 0, 0),
    (0xF0, 0xF0, 0xF0),
    (0xB0, 0xB0, 0xB0),
    (0xFF, 0x7A, 0x7A),
    (0x5F, 0xFF, 0x5F),
    (0xFF, 0xFF, 0x5F),
    (0x7F, 0xE0, 0xFF),
    (0xFF, 0x7F, 0xFF),
    (0x5F, 0xFF, 0xFF),
)
NAMED_LIGHT = _named(
    (0xFF, 0xFF, 0xFF),
    (0x10, 0x10, 0x10),
    (0x2A, 0x2A, 0x2A),
    (0xA0, 0x00, 0x00),
    (0x00, 0x36, 0x00),
    (0x40, 0x20, 0x00),
    (0x00, 0x00, 0xA0),
    (0x80, 0x00, 0x80),
    (0x00, 0x28, 0x40),
)


def preferred() -> str:
    """The theme for the terminal: the light one if COLORFGBG says that its background is light."""
    background = os.environ.get("COLORFGBG", "").rpartition(";")[2]
    return LIGHT if background in ("7", "15") else DARK
