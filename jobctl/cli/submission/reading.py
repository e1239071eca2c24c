"""Show how far the reading of an input is, if it takes long."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self, TextIO

from jobctl.cli.session import Session

#: An input that is read within this time shows no progress.
PATIENCE_S = 1.0
#: Between two drawings of the bar on a terminal.
FRAME_S = 0.1
#: Between two lines where standard error is not a terminal.
LINE_EVERY_S = 30.0


class Progress(Protocol):
    """What is known about an input while it is read."""

    @property
    def records(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def size(self) -> int | None: ...


class Reading:
    """Called after every batch: a bar on a terminal, which goes away at the end; now and then a line elsewhere."""

    def __init__(
        self, shared: Session, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._shared = shared
        self._stream = stream or sys.stderr
        self._clock = clock
        self._began = clock()
        self._on_screen = shared.is_screen(self._stream)
        self._next = self._began + (PATIENCE_S if self._on_screen else LINE_EVERY_S)
        self._drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self._write("\r\x1b[K")

    def __call__(self, source: Progress) -> None:
        """Show how far the reading is, if it is time for that."""
        now = self._clock()
        is_last = self._drawn and source.bytes == source.size  # the commit that follows may take a while
        if self._shared.quiet or (now < self._next and not is_last):
            return
        from jobctl.render.input_progress import reading_line

        look = self._shared.look(self._stream)
        line = reading_line(source.records, source.bytes, source.size, now - self._began, look)
        if self._on_screen:
            self._next, self._drawn = now + FRAME_S, True
            self._write(f"\r{line}\x1b[K")
        else:
            self._next = now + LINE_EVERY_S
            self._write(f"{line}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
