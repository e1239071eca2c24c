"""Printing whole screens once: the table of jobs, the pages of some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from rich.console import RenderableType
from rich.text import Text

from jobctl.render.job_page import job_page
from jobctl.render.jobs_table import jobs_table
from jobctl.render.look import Look, console
from jobctl.render.notices import notices, waiting

Document = Mapping[str, Any]


def print_jobs(document: Document, stream: TextIO, look: Look) -> None:
    """The table of a list document, what needs attention, and what waits for what."""
    lines = notices(document, look) + waiting(document, look)
    _print([jobs_table(document, look), *([Text("")] if lines else []), *lines], look, stream)


def print_pages(documents: Sequence[Document], stream: TextIO, look: Look) -> None:
    """Everything about some jobs, one after the other."""
    blocks: list[RenderableType] = []
    for document in documents:
        blocks += [*([Text("")] if blocks else []), job_page(document, look)]
    _print(blocks, look, stream)


def _print(blocks: Sequence[RenderableType], look: Look, stream: TextIO) -> None:
    """Off a terminal the padding at the ends of lines is of no use to anybody."""
    screen = console(look, stream)
    with screen.capture() as captured:
        for block in blocks:
            screen.print(block)
    text = captured.get()
    if not look.terminal:
        text = "\n".join(line.rstrip() for line in text.split("\n"))
    stream.write(text)
