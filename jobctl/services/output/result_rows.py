"""Read result files: the number of the item of each row, and the payload from which jobctl made the row."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jobctl.domain.payload import RESULT_MEMBER, RESULT_PREFIX, is_result_key, join_fields, json_members
from jobctl.store.job_row import JobRow

ITEM_COLUMN = RESULT_PREFIX + "item"
_FIELD_LIMIT = 1 << 30
_MEMBER_START = f'"{RESULT_MEMBER}":'


class ResultRow(NamedTuple):
    """A row of a result file."""

    line: int  # the number of its last line in the file
    item: int
    payload: bytes


class UnreadableError(Exception):
    """A result file is not as jobctl writes it. The message names the line and the problem."""


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, as hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def result_rows(path: Path, job: JobRow) -> Iterator[ResultRow]:
    """Yield the rows of a result file in their order, one at a time. Raises OSError, UnreadableError."""
    return _json_rows(path) if job.input_format == "jsonl" else _table_rows(path, job)


def chosen_records(path: Path, job: JobRow, items: Iterator[int]) -> Iterator[bytes]:
    """Yield the records of a result file with these items, which ascend, byte for byte; a header comes first.

    Raises OSError, UnreadableError.
    """
    records = _json_records(path) if job.input_format == "jsonl" else _table_records(path, job)
    wanted = next(items, None)
    for item, record in records:
        while wanted is not None and item is not None and wanted < item:  # it is in another file
            wanted = next(items, None)
        if item is None or item == wanted:
            yield record


def _table_records(path: Path, job: JobRow) -> Iterator[tuple[int | None, bytes]]:
    """(item, record) of a table. A record is the text that the reader took for it, which may be several lines."""
    taken: list[str] = []

    def noted(lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    place: int | None = None
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        reader = _reader(noted(file), job)
        try:
            for row in reader:
                record = "".join(taken).encode("utf-8", "surrogateescape")
                taken.clear()
                if place is None:
                    place = _read_header(row, job.columns or ["line"])[0]
                    yield None, record
                elif place < len(row):
                    yield _number(row[place], reader.line_num), record
                else:
                    raise UnreadableError(f"line {reader.line_num} has too few fields")
        except csv.Error as error:
            raise UnreadableError(f"line {reader.line_num}: {error}") from error


def _json_records(path: Path) -> Iterator[tuple[int | None, bytes]]:
    with path.open("rb") as file:
        for line, text in enumerate(file, 1):
            yield _json_item(text, line)[0], text


def widen_fields() -> None:
    """Let readers of tables take the largest field of a row."""
    csv.field_size_limit(max(csv.field_size_limit(), _FIELD_LIMIT))


def _reader(lines: Iterable[str], job: JobRow) -> Any:
    """A reader of the table that jobctl writes for a job."""
    widen_fields()
    delimiter = job.input_dialect.get("delimiter") or ("\t" if job.input_format == "tsv" else ",")
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _table_rows(path: Path, job: JobRow) -> Iterator[ResultRow]:
    columns = job.columns or ["line"]
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        reader = _reader(file, job)
        try:
            place, width = _read_header(next(reader, []), columns)
            for row in reader:
                if len(row) != width:
                    raise UnreadableError(f"line {reader.line_num}: {len(row)} fields where the header has {width}")
                yield ResultRow(reader.line_num, _number(row[place], reader.line_num), _payload(row[: len(columns)]))
        except csv.Error as error:
            raise UnreadableError(f"line {reader.line_num}: {error}") from error


def _read_header(header: Sequence[str], columns: Sequence[str]) -> tuple[int, int]:
    """Return the position of the item number in a row, and the number of fields. Raises UnreadableError."""
    if list(header[: len(columns)]) != list(columns):
        raise UnreadableError("the header does not begin with the columns of the input")
    if ITEM_COLUMN not in header:
        raise UnreadableError(f"the header has no column {ITEM_COLUMN}")
    return header.index(ITEM_COLUMN, len(columns)), len(header)


def _payload(values: Sequence[str]) -> bytes:
    return join_fields([value.encode("utf-8", "surrogateescape") for value in values])


def _json_rows(path: Path) -> Iterator[ResultRow]:
    with path.open("rb") as file:
        for line, text in enumerate(file, 1):
            item, payload = _json_item(text, line)
            yield ResultRow(line, item, payload)


def _json_item(text: bytes, line: int) -> tuple[int, bytes]:
    """The number of the item of a row, and the original row."""
    try:
        facts, payload = _split_json(text.decode("utf-8").strip())
        item = facts["item"]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise UnreadableError(f"line {line} is not a row of a result file") from error
    return _number(item, line), payload


def _split_json(text: str) -> tuple[dict[str, Any], bytes]:
    """Split a row into the member that jobctl added and the original row.

    That member is the last one of the object, so the text before it is the original row, apart from white space.
    """
    start = text.rindex(_MEMBER_START)
    facts = json.loads(text[start + len(_MEMBER_START) : -1])
    body = text[:start].rstrip()
    return facts, (body.removesuffix(",") + "}").encode()


def same_json(one: bytes, other: bytes) -> bool:
    """Return whether two JSON rows differ only in white space and in members of jobctl.

    Numbers are compared as text. A row that is damaged is equal only to itself.
    """
    if one == other:
        return True
    try:
        return _members(one) == _members(other)
    except (ValueError, LookupError, RecursionError):
        return False


def _members(payload: bytes) -> list[tuple[str, str]]:
    return [(m.key, m.value) for m in json_members(payload.decode()) if not is_result_key(m.key)]


def _number(value: Any, line: int) -> int:
    try:
        return int(value)
    except (ValueError, TypeError) as error:
        raise UnreadableError(f"line {line}: {value!r} is not the number of an item") from error
