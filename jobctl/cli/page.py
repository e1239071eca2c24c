"""A help page as text: headings, paragraphs and lists of two columns, wrapped to the width of the terminal."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Sequence

#: The narrowest and the widest page. Longer lines are hard to read.
_NARROWEST, _WIDEST = 50, 100
#: The widest first column of a list, and the blanks after it.
_COLUMN, _GAP = 30, 2
#: The ends of clauses, the best place to cut a sentence first.
_CLAUSE_ENDS = ("; ", ": ", " (", ", ")
_BOLD = "\x1b[1m{}\x1b[0m"


class Page:
    """Collects the lines of a page; ``bold``: headings are bold."""

    def __init__(self, *, bold: bool) -> None:
        self._bold = bold
        self._lines: list[str] = []
        self.width = max(min(shutil.get_terminal_size().columns, _WIDEST) - 2, _NARROWEST)

    def blank(self) -> None:
        """Add an empty line, except at the beginning."""
        if self._lines:
            self._lines.append("")

    def heading(self, text: str) -> None:
        """Add an empty line and a heading."""
        self.blank()
        self._lines.append(f"{self._strong(text)}:")

    def text(self, text: str) -> None:
        """Add a paragraph, wrapped."""
        self._lines += wrapped(one_line(text), self.width)

    def usage(self, program: str, pieces: str) -> None:
        """Add the line that shows how a command is called."""
        first, *rest = wrapped(pieces, self.width - len(f"Usage: {program} "))
        self._lines.append(f"{self._strong('Usage')}: {program} {first}")
        self._lines += [" " * len(f"Usage: {program} ") + line for line in rest]

    def lines(self, lines: Iterable[str]) -> None:
        """Add lines as they are."""
        self._lines += lines

    def rows(self, rows: Sequence[tuple[str, str]]) -> None:
        """Add a list: a word and its explanation, which is wrapped in its column."""
        indent = self.column(rows)
        for word, explanation in rows:
            lines = wrapped(explanation, self.width - indent) or [""]
            if len(word) + 2 + _GAP > indent:
                self._lines.append(f"  {word}")
            else:
                self._lines.append(f"  {word:{indent - 2}}{lines.pop(0)}".rstrip())
            self._lines += [" " * indent + line for line in lines]

    def short_rows(self, rows: Sequence[tuple[str, str]]) -> None:
        """Add a list with one line for each word: explanations are cut after a clause."""
        room = self.width - self.column(rows)
        self.rows([(word, first_clause(one_line(text), room)) for word, text in rows])

    def column(self, rows: Sequence[tuple[str, str]]) -> int:
        """Return the column in which the explanations of a list begin."""
        return min(max((len(word) for word, _ in rows), default=0), _COLUMN) + _GAP + 2

    def __str__(self) -> str:
        return "\n".join(self._lines)

    def _strong(self, text: str) -> str:
        return _BOLD.format(text) if self._bold else text


def wrapped(text: str, width: int) -> list[str]:
    """Text in lines of at most ``width`` characters, broken only at blanks: options and commands stay whole."""
    import textwrap

    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def one_line(text: str) -> str:
    """Text without line breaks and repeated blanks."""
    return re.sub(r"\s+", " ", text).strip()


def first_clause(text: str, room: int) -> str:
    """A sentence without its full stop, cut after a clause if it is longer than ``room``."""
    text = text.rstrip(".")
    for end in _CLAUSE_ENDS:
        while len(text) > room and end in text:
            text = text.rpartition(end)[0]
            if text.count("(") > text.count(")"):
                text = text.rpartition(" (")[0]
    return text
