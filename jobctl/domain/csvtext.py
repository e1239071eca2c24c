"""Writing CSV rows that any reader takes apart again."""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import Any


class _LineEnds:
    """Gives rows the line end they are to have.

    The csv module quotes only the characters of its own line terminator, so a lone CR in a value would be written
    bare with LF lines and could not be read again; with CR LF it is always quoted.
    """

    def __init__(self, write: Callable[[str], object], terminator: str) -> None:
        self._write = write
        self._terminator = terminator

    def write(self, text: str) -> None:
        self._write(text[:-2] + self._terminator)


def row_writer(write: Callable[[str], object], terminator: str, **options: Any) -> Any:
    """A csv writer whose rows any reader takes apart again."""
    return csv.writer(_LineEnds(write, terminator), lineterminator="\r\n", **options)
