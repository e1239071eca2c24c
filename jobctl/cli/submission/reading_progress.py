"""The progress of reading the input of a submission, and of writing the rows of an undo job, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from jobctl.cli.session import Session

if TYPE_CHECKING:
    from types import TracebackType

    from jobctl.render.look import Look

#: Seconds of work before the progress is shown.
SHOW_AFTER_S = 1.0
#: Seconds between two drawings of the bar on a terminal.
FRAME_S = 0.1
#: Seconds between two lines where standard error is not a terminal.
LINE_EVERY_S = 30.0


class InputProgress(Protocol):
    """The figures of an input while it is read."""

    @property
    def records(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def size(self) -> int | None: ...


class _Progress:
    """Shows the progress after each batch: as a bar on a terminal, which disappears at the end, elsewhere as lines."""

    def __init__(
        self, shared: Session, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._shared = shared
        self._stream = stream or sys.stderr
        self._clock = clock
        self._began = clock()
        self._next = self._began + SHOW_AFTER_S
        self._on_screen: bool | None = None  # most inputs are read before this is asked
        self._drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self._write("\r\x1b[K")

    def _show(self, line_of: Callable[[float, Look], str], *, is_last: bool) -> None:
        """Show a line for the seconds so far, if the one before is old enough or a commit follows the last one."""
        now = self._clock()
        if self._shared.quiet or (now < self._next and not (is_last and self._drawn)):
            return
        if self._on_screen is None:
            self._on_screen = self._shared.is_screen(self._stream)
            if not self._on_screen and now < self._began + LINE_EVERY_S:
                self._next = self._began + LINE_EVERY_S
                return
        line = line_of(now - self._began, self._shared.look(self._stream))
        if self._on_screen:
            self._next, self._drawn = now + FRAME_S, True
            self._write(f"\r{line}\x1b[K")
        else:
            self._next = now + LINE_EVERY_S
            self._write(f"{line}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


class ReadingProgress(_Progress):
    """The progress of reading an input."""

    def __call__(self, source: InputProgress) -> None:
        """Show the progress, if the last one is old enough."""

        def line(elapsed_s: float, look: Look) -> str:
            from jobctl.render.input_progress import reading_line

            return reading_line(source.records, source.bytes, source.size, elapsed_s, look)

        self._show(line, is_last=source.bytes == source.size)


class WritingProgress(_Progress):
    """The progress of writing rows that the store has."""

    def __call__(self, written: int, total: int) -> None:
        """Show the progress, if the last one is old enough."""

        def line(elapsed_s: float, look: Look) -> str:
            from jobctl.render.input_progress import writing_line

            return writing_line(written, total, elapsed_s, look)

        self._show(line, is_last=written == total)
