"""Rows that a program gives, as an input: they become lines of JSON while they are read, never all at once."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import io
import itertools
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, cast

import orjson

from jobctl.errors import InputRejected, UsageError

#: The name of such an input in messages, and the name of a job that is given no other.
TITLE = "rows"
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY
_HINT = "a value may be text, a number, true or false, None, a date, a list or a dictionary of these"
_HOW = 'a list, an iterator or a DataFrame of rows such as {"id": 1, "name": "a"}'
_SMALLEST, _LARGEST = -(1 << 63), (1 << 64) - 1
#: Lines are made until there are this many bytes.
_CHUNK = 1 << 16


def stream_of(rows: object) -> tuple[BinaryIO, str]:
    """Return the input that these rows make, and its format: ``jsonl``, or ``lines`` for texts.

    Rows are mappings, named tuples or instances of dataclasses, in anything that can be iterated, also in a DataFrame
    of pandas or polars or in a table of pyarrow. NaN and NaT become null, dates become ISO 8601, decimal numbers keep
    their digits. Raises UsageError for anything else. The stream raises InputRejected, which names the row and the
    column, for a value that is not JSON.
    """
    found = _iterated(rows)
    first = list(itertools.islice(found, 1))
    every = itertools.chain(first, found)
    if first and isinstance(first[0], str):
        return cast(BinaryIO, _LineStream(map(_line, itertools.count(1), every))), "lines"
    return cast(BinaryIO, _LineStream(map(_json_line, itertools.count(1), every))), "jsonl"


class _LineStream(io.RawIOBase):
    """Lines as a binary stream that makes as many of them as are read."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; returns the number of bytes, 0 at the end. Raises InputRejected, and errors of the rows."""
        if not self._rest:
            self._rest = memoryview(self._made())
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def _made(self) -> bytes:
        made: list[bytes] = []
        size = 0
        for line in self._lines:
            made.append(line)
            size += len(line)
            if size >= _CHUNK:
                break
        return b"".join(made)


def _iterated(rows: object) -> Iterator[Any]:
    """The rows of a list, an iterator or a table of a library."""
    columns = getattr(rows, "columns", None)
    if columns is not None and hasattr(rows, "itertuples"):
        return _of_pandas(rows, columns)
    if columns is not None and hasattr(rows, "iter_rows"):  # polars
        return iter(cast(Any, rows).iter_rows(named=True))
    if hasattr(rows, "to_batches"):  # a table or a data set of pyarrow
        return itertools.chain.from_iterable(batch.to_pylist() for batch in cast(Any, rows).to_batches())
    if hasattr(rows, "to_pylist"):  # a batch of pyarrow
        return iter(cast(Any, rows).to_pylist())
    if isinstance(rows, Mapping):
        raise UsageError("rows: this is one dictionary, not rows", hint=f"give {_HOW}")
    if isinstance(rows, str | bytes | os.PathLike):
        raise UsageError("rows: this is a text, not rows", hint="a path is given as file")
    if not isinstance(rows, Iterable):
        raise UsageError(f"rows: {_kind(rows)} cannot be iterated", hint=f"give {_HOW}")
    return iter(rows)


def _of_pandas(frame: Any, columns: Any) -> Iterator[dict[str, Any]]:
    names = [str(column) for column in columns]
    doubled = next((name for number, name in enumerate(names) if name in names[:number]), None)
    if doubled is not None:
        raise UsageError(f"rows: two columns have the name {doubled!r}", hint="rename one of them")
    return (dict(zip(names, values, strict=True)) for values in frame.itertuples(index=False, name=None))


def _line(number: int, row: object) -> bytes:
    if not isinstance(row, str):
        raise InputRejected(f"row {number}: {_kind(row)}, and the first row is text", hint="give rows of one kind")
    if "\n" in row or "\r" in row:
        raise InputRejected(
            f"row {number} has a line break, and a text is one line", hint='give it a column: {"text": ...}'
        )
    try:
        return row.encode() + b"\n"
    except UnicodeEncodeError:
        raise InputRejected(
            f"row {number} is not text that UTF-8 can hold", hint="a surrogate is alone in it"
        ) from None


def _json_line(number: int, row: Any) -> bytes:
    if not isinstance(row, dict):
        row = _as_dict(number, row)
    try:
        line = orjson.dumps(row, _plain, _OPTIONS | orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        line = _carefully(number, row)
    # The library writes an infinite number as null, and so would lose it.
    return _carefully(number, row) if b"null" in line else line


def _as_dict(number: int, row: Any) -> dict[str, Any]:
    if isinstance(row, Mapping):
        return dict(row)
    if dataclasses.is_dataclass(row) and not isinstance(row, type):
        return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    if isinstance(row, tuple) and hasattr(row, "_asdict"):
        return cast(dict[str, Any], row._asdict())
    raise InputRejected(f"row {number}: {_kind(row)} has no names of columns", hint=f"give {_HOW}")


def _carefully(number: int, row: dict[Any, Any]) -> bytes:
    """The line of a row with values that need a look each. Raises InputRejected with the row and the column."""
    found: list[bytes] = []
    for column, value in row.items():
        if not isinstance(column, str):
            raise InputRejected(
                f"row {number}: the name {column!r} of a column is {_kind(column)}, not text",
                hint="the names of columns are text",
            )
        try:
            found.append(orjson.dumps(column) + b":" + _value(value))
        except (TypeError, RecursionError) as error:
            raise InputRejected(f"row {number}, column {column!r}: {_reason(error)}", hint=_HINT) from None
    return b"{" + b",".join(found) + b"}\n"


def _reason(error: BaseException) -> str:
    for found in (error, error.__cause__):
        if isinstance(found, _NotJsonError):
            return str(found)
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return f"it is not JSON: {error}"


class _NotJsonError(TypeError):
    """A value that has no form in JSON; its text says why."""


def _value(value: Any) -> bytes:
    if isinstance(value, float) and math.isinf(value):
        raise _NotJsonError("an infinite number is not JSON")
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        return str(value).encode()
    if isinstance(value, Mapping):
        members = (_member(key, member) for key, member in value.items())
        return b"{" + b",".join(members) + b"}"
    if isinstance(value, list | tuple):
        return b"[" + b",".join(map(_value, value)) + b"]"
    return orjson.dumps(value, _plain, _OPTIONS)


def _member(key: object, member: object) -> bytes:
    if not isinstance(key, str):
        raise _NotJsonError(f"the key {key!r} is {_kind(key)}, not text")
    return orjson.dumps(key) + b":" + _value(member)


def _plain(value: Any) -> Any:
    """The JSON form of a value that orjson does not know. Raises TypeError for a value that has none."""
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, datetime.date | datetime.time):  # a subclass, such as the timestamps of pandas
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        if value.is_nan():
            return None
        if value.is_infinite():
            raise _NotJsonError("an infinite number is not JSON")
        return orjson.Fragment(str(value))
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise _NotJsonError(f"{_kind(value)} is not JSON")


def _kind(value: object) -> str:
    """``a list``, ``an int``: the type of a value, with its article."""
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
