"""The look of a screen: its width and height, and whether it shows colours and characters beyond ASCII."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

#: The width outside a terminal, where nothing is cut or wrapped.
UNLIMITED = 10_000
#: The least width in which text is wrapped, because narrower lines cannot be read.
_ROOM_MIN = 20
STATE_STYLES = {
    "queued": "cyan",
    "running": "yellow",
    "paused": "magenta",
    "cancelling": "magenta",
    "succeeded": "green",
    "partial": "red",
    "failed": "bold red",
    "cancelled": "bright_black",
    "expired": "red",
}


@dataclass(frozen=True, slots=True)
class Look:
    """The abilities of a stream."""

    width: int = 80
    height: int = 24
    color: bool = False
    unicode: bool = True
    terminal: bool = True

    @property
    def dash(self) -> str:
        """The separator between two facts."""
        return " · " if self.unicode else ", "

    @property
    def ellipsis(self) -> str:
        """The mark where text was cut."""
        return "…" if self.unicode else "..."


def look_of(stream: TextIO, *, color: bool, terminal: bool = True) -> Look:
    """The look of a stream; options and environment decide about ``color`` and ``terminal``."""
    if not (terminal and stream.isatty()):
        return plain_look(stream, color=color)
    size = shutil.get_terminal_size()
    return Look(width=size.columns, height=size.lines, color=color, unicode=shows_unicode(stream))


def plain_look(stream: TextIO, *, color: bool = False) -> Look:
    """The look of a stream that is not a terminal."""
    return Look(width=UNLIMITED, height=UNLIMITED, color=color, unicode=shows_unicode(stream), terminal=False)


def shows_unicode(stream: TextIO) -> bool:
    """Return whether the stream shows bars and dots.

    In the C locale, Python writes UTF-8, but the user has not asked for it.
    """
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    if locale in ("C", "POSIX"):
        return False
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "") == "utf8"


def console(look: Look, stream: TextIO) -> Console:
    """A rich console with this look, which never reads values as markup."""
    from rich.console import Console

    return Console(
        file=stream,
        width=look.width,
        height=look.height,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=not look.terminal,
        no_color=not look.color,
        color_system="auto" if look.color else None,
        force_terminal=look.terminal or look.color,
        legacy_windows=False,
    )


def wrap(text: str, room: int, first_indent: str = "", indent: str = "") -> list[str]:
    """Text in lines of at most ``room`` characters, broken only between words: paths and commands can be copied."""
    import textwrap

    return textwrap.wrap(
        text,
        max(_ROOM_MIN, room),
        initial_indent=first_indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def wrap_hanging(line: str, look: Look) -> list[str]:
    """A line in the width of a terminal; the lines that continue it are indented by two more than its beginning."""
    if not look.terminal or len(line) <= look.width:
        return [line]
    text = line.lstrip(" ")
    indent = " " * (len(line) - len(text) + 2)
    return wrap(text, look.width, indent[2:], indent)


def cut(text: str, width: int, look: Look) -> str:
    """Text in at most ``width`` cells, with a mark where it was cut."""
    if 2 * len(text) <= width:  # no character takes more than two cells
        return text
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return text
    mark = look.ellipsis if width > len(look.ellipsis) else ""
    return set_cell_size(text, width - len(mark)).rstrip() + mark
