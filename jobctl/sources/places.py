"""Where records stand in a file, for messages about several of them; a second look at the file."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from typing import IO

from jobctl.domain.payload import FORMATS
from jobctl.errors import JobctlError
from jobctl.sources.options import InputOptions, kind_of


def lines_of(options: InputOptions, records: set[int]) -> dict[int, int]:
    """The physical lines on which these records (numbered from 1, header apart) begin.

    Empty when the input cannot be read again (standard input) or has changed.
    """
    if not os.path.isfile(options.path) or not records or options.selection:
        return {}
    try:
        kind = kind_of(options, is_file=True)
        if kind.format not in FORMATS or options.path.lower().endswith(".zst"):
            return {}
        with _open(options.path, kind.encoding) as file:
            begins = _delimited(file, kind.delimiter) if kind.delimiter else _plain(file)
            if kind.delimiter and kind.header:
                next(begins, None)
            return _pick(begins, records)
    except (OSError, ValueError, csv.Error, JobctlError):
        return {}


def _open(path: str, encoding: str) -> IO[str]:
    encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    if path.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding=encoding, errors="replace", newline="")
    return open(path, encoding=encoding, errors="replace", newline="")


def _delimited(file: IO[str], delimiter: str) -> Iterator[int]:
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    line = 1
    for row in reader:
        if row:
            yield line
        line = reader.line_num + 1


def _plain(file: IO[str]) -> Iterator[int]:
    return (number for number, line in enumerate(file, 1) if line.strip())


def _pick(begins: Iterator[int], records: set[int]) -> dict[int, int]:
    found = {}
    last = max(records)
    for record, line in enumerate(begins, 1):
        if record in records:
            found[record] = line
        if record >= last:
            break
    return found
