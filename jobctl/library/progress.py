"""What shows a job while a program waits for it: a function, a screen, lines, or a table in a notebook."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TextIO, TypeAlias

from jobctl.errors import UsageError
from jobctl.library.notebook import NotebookView, is_notebook

if TYPE_CHECKING:
    from jobctl.library.documents import StatusDocument
    from jobctl.render.live import LiveScreen

#: Gets the status of the job after each change, at most four times a second.
Show: TypeAlias = Callable[["StatusDocument"], object]
#: A function of one's own; "rich": the screen of ``jobctl run``, or lines where standard error is not a terminal;
#: "notebook": a table in the output of the cell; True: the one that fits; None or False: nothing.
Progress: TypeAlias = Show | Literal["rich", "notebook"] | bool | None
WORDS = ("rich", "notebook")


def shown(progress: Progress, footer: str = "") -> AbstractContextManager[Show]:
    """Return the view that an argument ``progress`` names; inside its block, it is called with each status.

    ``footer`` says on a screen what keys do. Raises UsageError for another word.
    """
    if progress is None or progress is False:
        return nullcontext(_show_nothing)
    if callable(progress):
        return nullcontext(progress)
    if progress == "notebook" or (progress is True and is_notebook()):
        return NotebookView()
    if progress == "rich" or progress is True:
        return ScreenView(sys.stderr, footer) if _is_screen(sys.stderr) else LineView(sys.stderr)
    raise UsageError(
        f"progress={progress!r} is not known", hint=f"one of {', '.join(WORDS)}, True, or a function of a status"
    )


def _show_nothing(_: Any) -> None:
    """Show nothing."""


def _is_screen(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") not in (None, "", "dumb")


class ScreenView:
    """Draws the page of the job on a terminal; at the end the summary stays."""

    def __init__(self, stream: TextIO, footer: str) -> None:
        self._stream = stream
        self._footer = footer
        self._color = not os.environ.get("NO_COLOR")
        self._last: StatusDocument | None = None
        self._stack = ExitStack()
        self._screen: LiveScreen | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if self._last is not None and self._last.done:
            from jobctl.render.lines import print_summary
            from jobctl.render.look import look_of

            print_summary(_document(self._last), self._stream, look_of(self._stream, color=False))

    def __call__(self, status: StatusDocument) -> None:
        """Draw the page; the first call takes the screen, so that a job without work does not flicker."""
        from jobctl.render.frames import job_frame
        from jobctl.render.live import LiveScreen

        self._last = status
        if self._screen is None and not status.done:
            self._screen = self._stack.enter_context(LiveScreen(self._stream, color=self._color))
        if self._screen is not None:
            self._screen.show(lambda look: job_frame(_document(status), look, self._footer))


class LineView:
    """Writes a line when the state of the job changes, and from time to time."""

    def __init__(self, stream: TextIO) -> None:
        from jobctl.render.progress_lines import ProgressLines

        self._lines = ProgressLines(stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left to write."""

    def __call__(self, status: StatusDocument) -> None:
        """Write a line, if it is time."""
        self._lines.show([_document(status)])


def _document(status: StatusDocument) -> Any:
    """The record as the document that it is, for ``render``, which knows the documents of the commands."""
    return status
