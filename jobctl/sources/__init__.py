"""Input files: from text, workbooks, Parquet or a joblog to validated payloads, with the place of every problem."""

from __future__ import annotations

import io
import os
import stat
from importlib import import_module
from typing import BinaryIO, cast

from jobctl.domain.nearest import nearest
from jobctl.errors import InputRejected
from jobctl.sources.options import JOBLOG, InputOptions, Kind, kind_of
from jobctl.sources.source import Source

_READERS = {
    "csv": ("jobctl.sources.delimited", "Delimited"),
    "tsv": ("jobctl.sources.delimited", "Delimited"),
    "jsonl": ("jobctl.sources.jsonl", "JsonLines"),
    "lines": ("jobctl.sources.lines", "Lines"),
    "xlsx": ("jobctl.sources.workbook", "Workbook"),
    "parquet": ("jobctl.sources.parquet", "Parquet"),
    JOBLOG: ("jobctl.sources.joblog", "Joblog"),
}

__all__ = ["InputOptions", "Source", "open_source"]


def open_source(options: InputOptions, stdin: BinaryIO) -> Source:
    """Begin to read an input; use it as a context manager.

    Raises UsageError for options that do not fit, InputRejected for a file that cannot be read or has no usable
    beginning (no rows, bad header, wrong encoding).
    """
    if options.path == "-":
        return _source(_buffered(stdin), kind_of(options, is_file=False), options, None)
    try:
        # Closed by the source.
        file = open(options.path, "rb", buffering=0)  # noqa: SIM115
        facts = os.fstat(file.fileno())
    except (OSError, ValueError) as error:
        raise _unreadable(options, error) from error
    try:
        regular = stat.S_ISREG(facts.st_mode)
        kind = kind_of(options, is_file=regular)
    except BaseException:
        file.close()
        raise
    return _source(_buffered(file), kind, options, facts.st_size if regular else None)


def _unreadable(options: InputOptions, error: OSError | ValueError) -> InputRejected:
    reason = getattr(error, "strerror", None) or str(error)
    return InputRejected(f"{options.name} cannot be read: {reason}", hint=_instead(options.path))


def _instead(path: str) -> str:
    """What to give instead of a file that cannot be read."""
    import shutil

    near = nearest(path, _beside(path))
    if near is None and os.sep not in path and shutil.which(path):
        return f"{path} is a program: the file of rows comes before it, FILE -- {path} ...; - is standard input"
    return f"{f'did you mean {near}? ' if near else ''}give the path of a file, or - for stdin"


def _beside(path: str) -> list[str]:
    """Paths of what else is in the folder of a file that is not there."""
    folder = os.path.dirname(path)
    try:
        return [os.path.join(folder, name) for name in os.listdir(folder or ".") if not name.startswith(".")]
    except (OSError, ValueError):
        return []


def _buffered(file: BinaryIO) -> BinaryIO:
    if isinstance(file, io.RawIOBase):
        return cast(BinaryIO, io.BufferedReader(file, 1 << 18))
    return file


def _source(file: BinaryIO, kind: Kind, options: InputOptions, size: int | None) -> Source:
    try:
        return _reader_of(kind.format)(file, kind, options, size)
    except OSError as error:
        raise _unreadable(options, error) from error


def _reader_of(input_format: str) -> type[Source]:
    """Only what is needed is imported."""
    name, reader = _READERS[input_format]
    found: type[Source] = getattr(import_module(name), reader)
    return found
