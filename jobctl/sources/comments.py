"""Skips comment lines (``--comment``): they become empty lines, so that all lines keep their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jobctl.sources.stream import Blocks


class UncommentedBlocks(Blocks):
    """Blocks of lines in which every line that begins with a prefix, perhaps after blanks, is made empty."""

    def __init__(self, chunks: Iterator[bytes], prefix: str, *, has_quotes: bool) -> None:
        """``has_quotes``: a quoted field may continue over several lines, which are then not comments."""
        super().__init__(chunks)
        self._comment = re.compile(rb"^[ \t]*%b[^\r\n]*" % re.escape(prefix.encode()), re.MULTILINE)
        self._has_quotes = has_quotes
        self._in_field = False

    def read(self) -> bytes:
        """The next lines; b'' at the end. Raises OverlongLine for a line that had to be skipped."""
        block = super().read()
        if not self._has_quotes or (not self._in_field and b'"' not in block):
            return self._comment.sub(b"", block)
        return b"".join(map(self._line, block.splitlines(keepends=True)))

    def _line(self, line: bytes) -> bytes:
        if not self._in_field and self._comment.match(line):
            return self._comment.sub(b"", line)
        self._in_field ^= line.count(b'"') % 2 == 1
        return line
