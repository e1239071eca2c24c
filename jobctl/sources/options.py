"""Decides the kind of the input file, by its name or by the options of the user."""

from __future__ import annotations

import codecs
import os
import shlex
from dataclasses import dataclass
from typing import Literal

from jobctl.domain.nearest import did_you_mean
from jobctl.domain.payload import FORMATS
from jobctl.errors import UsageError

#: Refuse the file, skip the row, or keep the text of workbook cells that show an error.
Invalid = Literal["reject", "skip", "keep"]

_FORMAT_OF_SUFFIX = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".txt": "lines",
    ".list": "lines",
    ".lst": "lines",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xlsb": "xlsx",
    ".xls": "xlsx",
    ".ods": "xlsx",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_JSONL = "jobctl submit - --format jsonl"
#: Suffixes of files that are text without rows, with the command that makes rows of them.
_UNSUPPORTED = {
    **dict.fromkeys((".yaml", ".yml"), ("YAML", f"yq -o=json -I=0 '.[]' {{file}} | {_JSONL}")),
    ".toml": ("TOML", f"yq -o=json -I=0 '.TABLE[]' {{file}} | {_JSONL}"),
    ".xml": ("XML", f"xq -c '.ROOT.ROW[]' {{file}} | {_JSONL}"),
    **dict.fromkeys((".html", ".htm"), ("an HTML page", "save its table as CSV")),
}
#: The name of a job is made of the file name without these suffixes, because they do not describe the work.
NAME_SUFFIXES = tuple(_FORMAT_OF_SUFFIX)
#: The values of ``--format``; the last two become csv.
INPUT_FORMATS = (*FORMATS, "xlsx", "parquet")
#: The format of ``--from-joblog``; it becomes lines.
JOBLOG = "joblog"
PACKED = (".gz", ".zst", ".bz2", ".xz")
_NAMED_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}


@dataclass(frozen=True, slots=True)
class InputOptions:
    """The file with the rows and the way to read it; None = the name of the file decides."""

    path: str  # '-' = standard input
    format: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    header: bool = True
    invalid: Invalid = "reject"
    select: str | None = None  # numbers of records: 1-100,500
    where: str | None = None  # a condition, see domain.row_where
    sample: int | None = None  # the number of rows to choose at random
    sheet: str | None = None  # the name of a sheet of a workbook
    comment: str | None = None  # lines that begin with it are skipped
    called: str | None = None  # the name of the file at its origin, if the path is only where a copy of it is read

    @property
    def selection(self) -> dict[str, str | int]:
        """The options that select rows, with their values; empty = all rows."""
        options = {"select": self.select, "where": self.where, "sample": self.sample}
        return {name: value for name, value in options.items() if value is not None}

    @property
    def origin(self) -> str:
        """The path of the file, or its name at its origin; the job keeps it, and it may tell the format."""
        return self.path if self.called is None else self.called

    @property
    def name(self) -> str:
        """The name of the input in messages."""
        return "standard input" if self.origin == "-" else self.origin


@dataclass(frozen=True, slots=True)
class ResolvedOptions:
    """The format of an input after all defaults are applied."""

    format: str
    delimiter: str  # '' for lines and jsonl; for a table: the delimiter of its result files
    encoding: str
    header: bool


def resolve_options(options: InputOptions, *, is_file: bool) -> ResolvedOptions:
    """Decide format, delimiter and encoding; ``is_file``: the path is a regular file.

    Raises UsageError with the option that is wrong or missing.
    """
    chosen = _format(options, is_file)
    _check_options(options, chosen)
    if options.comment is not None:
        _check_comment(options.comment, chosen)
    encoding = "utf-8" if options.encoding is None else _encoding(options.encoding)
    return ResolvedOptions(chosen, _delimiter(options, chosen), encoding, options.header)


def _check_options(options: InputOptions, chosen: str) -> None:
    if options.sheet is not None and chosen != "xlsx":
        raise UsageError(f"--sheet makes no sense for {chosen}", hint="it is for workbooks (--format xlsx)")
    if options.invalid == "keep" and chosen != "xlsx":
        hint = "it is for workbooks, whose cells may show an error; use reject or skip"
        raise UsageError(f"--invalid keep makes no sense for {chosen}", hint=hint)
    if options.encoding is not None and chosen in ("xlsx", "parquet"):
        raise UsageError(f"--encoding makes no sense for {chosen}", hint="it is for text")


def _check_comment(prefix: str, chosen: str) -> None:
    if chosen not in FORMATS:
        raise UsageError(f"--comment makes no sense for {chosen}", hint="it is for text")
    if not prefix.strip() or not prefix.isprintable() or '"' in prefix:
        raise UsageError(f"--comment {prefix!r} is not what a line begins with", hint="for example --comment '#'")


def _format(options: InputOptions, is_file: bool) -> str:
    if options.format is not None:
        if options.format not in (*INPUT_FORMATS, JOBLOG):
            hint = did_you_mean(options.format, INPUT_FORMATS, f"use one of {', '.join(INPUT_FORMATS)}")
            raise UsageError(f"--format {options.format!r} is not known", hint=hint)
        return options.format
    suffix = _suffix(options.origin)
    known = format_of_name(options.origin)
    if known is None and not is_file:
        raise UsageError(
            f"the name of {options.name} does not tell its format", hint=f"add --format, one of {', '.join(FORMATS)}"
        )
    if known is None and suffix in _UNSUPPORTED:
        what, command = _UNSUPPORTED[suffix]
        raise UsageError(
            f"{options.name} is {what} by its name, which jobctl does not read",
            hint=f"{command.format(file=shlex.quote(options.origin))}; for each of its lines as it is, --format lines",
        )
    return known or "lines"


def _suffix(path: str) -> str:
    return os.path.splitext(unpacked_name(path.lower()))[1]


def format_of_name(path: str) -> str | None:
    """The format that the name of a file tells, packed or not."""
    return _FORMAT_OF_SUFFIX.get(_suffix(path))


def unpacked_name(path: str) -> str:
    """A name without the suffix of a packer."""
    stem, suffix = os.path.splitext(path)
    return stem if suffix in PACKED else path


def _delimiter(options: InputOptions, chosen: str) -> str:
    if chosen not in ("csv", "tsv"):
        headless = not options.header and chosen != "xlsx"
        for option, given in (("--delimiter", options.delimiter is not None), ("--no-header", headless)):
            if given:
                raise UsageError(f"{option} makes no sense for {chosen}", hint="it is for --format csv or tsv")
        return "," if chosen in ("xlsx", "parquet") else ""
    if options.delimiter is None:
        return "\t" if chosen == "tsv" else ","
    delimiter = _NAMED_DELIMITERS.get(options.delimiter.lower(), options.delimiter)
    if len(delimiter) != 1 or delimiter in '"\r\n\0' or (not delimiter.isprintable() and delimiter != "\t"):
        raise UsageError(
            f"--delimiter {options.delimiter!r} is not one printable character or tab",
            hint="for example --delimiter ';' or --delimiter tab",
        )
    return delimiter


def _encoding(name: str) -> str:
    try:
        encoding = codecs.lookup(name).name
        "".encode(encoding)  # refuses codecs that are not character encodings (hex, zip...)
    except (LookupError, ValueError, UnicodeError) as error:
        raise UsageError(
            f"--encoding {name!r} is not known", hint="for example utf-8, utf-16, latin-1, cp1252, shift_jis"
        ) from error
    return "utf-8" if encoding in ("utf-8", "utf-8-sig", "ascii") else encoding
