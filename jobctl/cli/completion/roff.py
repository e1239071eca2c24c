"""Turn plain text into roff, the markup of manual pages."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

_WIDTH = 78


def text_lines(text: str) -> Iterator[str]:
    """Yield running text as roff: each sentence begins a line, and no word is read as a macro or an escape."""
    for sentence in re.split(r"(?<=[.;!?])\s+(?=[A-Z])", " ".join(text.split())):
        wrapped = textwrap.wrap(sentence, _WIDTH, break_long_words=False, break_on_hyphens=False)
        yield from (_escaped(line) for line in wrapped)


def _escaped(line: str) -> str:
    line = re.sub(r"(?<!\w)-(?=[-\w])|(?<=-)-", r"\\-", line.replace("\\", r"\e"))
    return rf"\&{line}" if line.startswith((".", "'")) else line


def literal(line: str) -> str:
    """Return a line of an example as roff."""
    line = line.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{line}" if line.startswith((".", "'")) else line
