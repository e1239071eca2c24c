"""Reads text, workbooks, Parquet files and joblogs into validated payloads, and reports the place of every problem."""

from __future__ import annotations

import io
import os
import stat
from importlib import import_module
from typing import BinaryIO, cast

from jobctl.errors import InputRejected, UsageError
from jobctl.sources.options import JOBLOG, InputOptions, ResolvedOptions, resolve_options
from jobctl.sources.source import Source

_READERS = {
    "csv": ("jobctl.sources.delimited", "DelimitedSource"),
    "tsv": ("jobctl.sources.delimited", "DelimitedSource"),
    "jsonl": ("jobctl.sources.jsonl", "JsonLinesSource"),
    "lines": ("jobctl.sources.lines", "LineSource"),
    "xlsx": ("jobctl.sources.workbook", "WorkbookSource"),
    "parquet": ("jobctl.sources.parquet", "ParquetSource"),
    JOBLOG: ("jobctl.sources.joblog", "JoblogSource"),
}

__all__ = ["InputOptions", "Source", "open_source"]


def open_source(options: InputOptions, stdin: BinaryIO) -> Source:
    """Open an input and read its beginning; use the result as a context manager.

    Raises UsageError for options that do not fit, InputRejected for a file that cannot be read or has no usable
    beginning (no rows, bad header, wrong encoding).
    """
    if options.path == "-":
        return _source(_buffered(stdin), resolve_options(options, is_file=False), options, None)
    try:
        # Closed by the source.
        file = open(options.path, "rb", buffering=0)  # noqa: SIM115
        facts = os.fstat(file.fileno())
    except (OSError, ValueError) as error:
        raise _unreadable(options, error) from error
    try:
        regular = stat.S_ISREG(facts.st_mode)
        if stat.S_ISCHR(facts.st_mode) and os.isatty(file.fileno()):
            hint = "give the path of a file, or pipe the rows in: producer | jobctl submit - --format csv"
            raise UsageError(f"{options.path} is a terminal", hint=hint)
        resolved = resolve_options(options, is_file=regular)
    except BaseException:
        file.close()
        raise
    return _source(_buffered(file), resolved, options, facts.st_size if regular else None)


def _unreadable(options: InputOptions, error: OSError | ValueError) -> InputRejected:
    from jobctl.sources.unreadable import unreadable  # most inputs do not need it

    return unreadable(options.path, options.name, error)


def _buffered(file: BinaryIO) -> BinaryIO:
    if isinstance(file, io.RawIOBase):
        return cast(BinaryIO, io.BufferedReader(file, 1 << 18))
    return file


def _source(file: BinaryIO, resolved: ResolvedOptions, options: InputOptions, size: int | None) -> Source:
    """The input, read by the class for its format; only the module of that class is imported."""
    name, reader = _READERS[resolved.format]
    try:
        found: Source = getattr(import_module(name), reader)(file, resolved, options, size)
        return found
    except OSError as error:
        raise _unreadable(options, error) from error
