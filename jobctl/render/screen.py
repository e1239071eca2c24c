"""Prints a screen once, on a terminal: the table of jobs, or the pages of some jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from rich.console import RenderableType

from jobctl.render.look import Look, console

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument, StatusListDocument


def print_jobs(document: StatusListDocument, stream: TextIO, look: Look) -> None:
    """The table of jobs, the notices, and the reasons why jobs wait."""
    from jobctl.render.jobs_table import jobs_table
    from jobctl.render.notices import notices, waiting

    lines = notices(document, look) + waiting(document, look)
    _print([jobs_table(document, look), *([""] if lines else []), *lines], look, stream)


def print_pages(documents: Sequence[StatusDocument], stream: TextIO, look: Look) -> None:
    """The pages of some jobs, one after the other."""
    from jobctl.render.job.page import job_page

    blocks: list[RenderableType] = []
    for document in documents:
        blocks += [*([""] if blocks else []), job_page(document, look)]
    _print(blocks, look, stream)


def _print(blocks: Sequence[RenderableType], look: Look, stream: TextIO) -> None:
    screen = console(look, stream)
    with screen.capture() as captured:
        for block in blocks:
            screen.print(block)
    stream.write(captured.get())
