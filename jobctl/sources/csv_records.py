"""Reads the records of a block with Python's csv module in strict mode, and explains its errors."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from jobctl.sources.stream import LONE_CR

if TYPE_CHECKING:
    from _csv import Reader


def csv_reader(block: bytes, delimiter: str, errors: str = "strict") -> Reader:
    """The reader of the records in a block; ``errors`` is the error handler for bytes that are not UTF-8."""
    lines = io.TextIOWrapper(io.BytesIO(block), "utf-8", errors, newline="\n")
    return csv.reader(lines, delimiter=delimiter, strict=True)


def unclosed_record(block: bytes, delimiter: str) -> bytes:
    """The end of a block from the beginning of a record that continues after the block; empty if all are whole."""
    reader = csv_reader(block, delimiter)
    lines = 0
    try:
        for _ in reader:
            lines = reader.line_num
    except csv.Error:
        return block.split(b"\n", lines)[lines]
    return b""


def is_unclosed(error: csv.Error) -> bool:
    """True if the block ended within a quoted field."""
    return "unexpected end of data" in str(error)


def explain(error: csv.Error) -> str:
    """An error of the csv module in words for the user."""
    text = str(error)
    if "expected after" in text:
        return "text follows a closing quote; a quote inside a quoted field is written twice"
    return LONE_CR if "new-line character" in text else text
