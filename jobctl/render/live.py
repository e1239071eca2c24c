"""A screen that is redrawn in place, on the second page of the terminal, so that the scroll-back keeps nothing of it.

rich renders the lines, but this module writes them and not ``rich.live``: a frame that equals the last one must write
nothing, and a frame that was made for another size must not wrap.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self, TextIO

from rich.console import RenderableType

from jobctl.render.look import Look, console, look_of

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"
_LEAVE = "\x1b[?25h\x1b[?1049l"
#: Between these two, a terminal shows nothing until the frame is complete; terminals that do not know them ignore them.
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"

Frame = Callable[[Look], Sequence[RenderableType]]


class LiveScreen:
    """Shows frames, each made for the present size of the terminal."""

    def __init__(self, stream: TextIO, *, color: bool) -> None:
        self._stream = stream
        self._color = color
        self._shown: tuple[int, int, str] | None = None

    def __enter__(self) -> Self:
        self._write(_ENTER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write(_LEAVE)

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Return to the first page of the terminal for a while, then draw everything again."""
        self._write(_LEAVE)
        try:
            yield
        finally:
            self._shown = None
            self._write(_ENTER)

    def show(self, frame: Frame) -> None:
        """Draw a frame; lines that do not fit are left out."""
        look = look_of(self._stream, color=self._color)
        lines = render_lines(frame(look), look)[: look.height]
        text = "".join(f"\x1b[{row};1H{line}\x1b[K" for row, line in enumerate(lines, 1))
        if self._shown == (look.width, look.height, text):
            return
        self._shown = (look.width, look.height, text)
        below = f"\x1b[{len(lines) + 1};1H\x1b[J" if len(lines) < look.height else ""
        self._write(f"{_BEGIN}{text}{below}{_END}")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def render_lines(blocks: Sequence[RenderableType], look: Look) -> list[str]:
    """The lines of some blocks, none wider than the look."""
    import io

    screen = console(look, io.StringIO())
    with screen.capture() as captured:
        for block in blocks:
            screen.print(block)
    return captured.get().rstrip("\n").split("\n")
