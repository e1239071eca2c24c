"""The output of items: byte for byte in a pipe, harmless on a terminal, under headings if there are several items."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, TextIO

from jobctl.domain import outcome
from jobctl.domain.durations import format_duration
from jobctl.domain.endings import Ending
from jobctl.domain.ports import OutputFlag
from jobctl.render.inert import inert_log

if TYPE_CHECKING:
    from jobctl.store.views.items import AttemptView

_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")


class Sink:
    """Standard output or standard error of jobctl. A terminal gets no colours of the text, and visible controls."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._at_line_start = True

    def write(self, data: bytes) -> None:
        """Write output of an item."""
        if not data:
            return
        self._at_line_start = data.endswith(b"\n")
        if self._terminal:
            self._stream.write(harmless(self._decoder.decode(data)))
        else:
            self._stream.flush()
            self._stream.buffer.write(data)

    def line(self, text: str, *, bold: bool) -> None:
        """Write a line of jobctl, at the beginning of a line."""
        self.end_line()
        self._stream.write(f"\x1b[1m{text}\x1b[0m\n" if bold else f"{text}\n")

    def end_line(self) -> None:
        """Begin a new line if the last one has no end, so that the lines of two items do not become one."""
        if not self._at_line_start:
            self._stream.write("\n")
            self._at_line_start = True

    def flush(self) -> None:
        """Flush both the text and the bytes."""
        self._stream.flush()
        if not self._terminal:
            self._stream.buffer.flush()


def harmless(text: str) -> str:
    """Output of an item for a screen: without colours, with visible controls, with lines and tabs as they are."""
    return inert_log(_COLOURS.sub("", text))


def describe(job: int, attempt: AttemptView) -> str:
    """``42.17 failed (exit 22), attempt 1, 250ms``."""
    if attempt.ending is None:
        return f"{job}.{attempt.item} running, attempt {attempt.attempt}"
    left = ", processes left behind were ended" if attempt.flags & OutputFlag.LEFTOVERS else ""
    took = format_duration((attempt.duration_us or 0) / 1e6)
    return f"{job}.{attempt.item} {_ended(attempt)}, attempt {attempt.attempt}, {took}{left}"


def _ended(attempt: AttemptView) -> str:
    ending, code = attempt.ending or 0, attempt.code
    if ending == Ending.EXITED:
        full = ", disk full" if attempt.flags & outcome.DISK_FULL else ""
        return "succeeded" if code == 0 else f"failed (exit {code}{full})"
    return f"failed ({outcome.failure_code(ending, code).replace('_', ' ')})"


def failed(attempt: AttemptView) -> bool:
    """Return whether an attempt has ended without success."""
    return attempt.ending is not None and not (attempt.ending == Ending.EXITED and attempt.code == 0)


def heading(text: str) -> str:
    """A heading as ``tail`` writes it."""
    return f"==> {text} <=="
