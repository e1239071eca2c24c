"""Reads plain lines: one value per line. Empty lines and lines of blanks are not values."""

from __future__ import annotations

from collections.abc import Iterator

from jobctl.domain.payload import Fault
from jobctl.sources.problems import LINE_END, InspectedRecord
from jobctl.sources.stream import LONE_CR, NOT_UTF8, is_utf8
from jobctl.sources.text import TextSource, has_blank, is_filled


class LineSource(TextSource):
    """Rows that are plain lines, without columns."""

    def _open(self) -> None:
        """Do nothing: lines have no columns."""

    def _read_blocks(self) -> Iterator[bytes]:
        for block in self._read_line_blocks():
            if self._line == 1 and self._options.format is None:
                self._refuse_page(block)
            if self._line == 1:
                self._look_for_comments(block)
                self._detect_terminator(block)
            yield block

    def _look_for_comments(self, block: bytes) -> None:
        """Add a notice if some lines look like comments and others do not."""
        lines = [line for line in block.split(b"\n") if is_filled(line)]
        marked = [line for line in lines if line.startswith(b"#")]
        if not marked or self._options.comment is not None:
            return
        if len(marked) < len(lines) or marked[0][1:2].isspace():
            at = 1 + block[: block.index(marked[0])].count(b"\n")
            self.notices.append(f"line {at} begins with #: if such lines are comments, add --comment '#'")

    def _quick(self, block: bytes) -> list[bytes] | None:
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").removesuffix(b"\r")
        if b"\r" in block or b"\0" in block or not is_utf8(block):
            return None
        lines = list(filter(None, block.split(b"\n")))
        return list(filter(is_filled, lines)) if has_blank(lines) else lines

    def _slow(self, block: bytes) -> Iterator[InspectedRecord]:
        for line, text in enumerate(block.split(b"\n"), self._line):
            value = text.removesuffix(b"\r")
            if not is_filled(value):
                continue
            fault = _fault(value)
            if fault is None:
                yield InspectedRecord(line, value, (value.decode(),), value)
            else:
                yield InspectedRecord.broken(line, value, fault)


def _fault(value: bytes) -> Fault | None:
    if b"\0" in value:
        return Fault(None, "nul", "contains a NUL character")
    if b"\r" in value:
        return Fault(None, LINE_END, LONE_CR)
    if not is_utf8(value):
        return Fault(None, "encoding", NOT_UTF8)
    return None
