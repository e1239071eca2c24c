"""Inputs that are tables of values: workbooks and Parquet. Each value becomes a text in one way, once.

Whole numbers have no ``.0``, dates and times are ISO 8601, durations H:MM:SS, truth is ``true`` or ``false``, nothing
is empty, nested values are JSON. From there on such an input is a CSV file with a header.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from jobctl.domain.payload import SEPARATOR, Fault
from jobctl.errors import UsageError
from jobctl.sources.header import is_encodable, kept_places
from jobctl.sources.problems import Candidate
from jobctl.sources.source import Source
from jobctl.sources.stream import RECORD_LIMIT, TOO_LONG

BATCH = 5_000
_EXACT = 1 << 53  # above it not every whole number is a float


def text_of(value: Any) -> str:
    """A value as text. Raises ValueError for bytes that are none."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) <= _EXACT else repr(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _clock(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=text_of)
    return str(value)


def _clock(value: timedelta) -> str:
    sign, value = ("-", -value) if value < timedelta() else ("", value)
    seconds = value.days * 86_400 + value.seconds
    fraction = f".{value.microseconds:06}".rstrip("0") if value.microseconds else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"


class Table(Source):
    """Rows of values with columns that have names."""

    _no_rows = "there is no row with a value in it"
    _what = "table"

    def _open(self) -> None:
        if self.size is None:
            raise UsageError(f"{self._what} cannot be read from a pipe", hint="give the path of the file")
        self.format = "csv"
        for _ in self._raw.chunks():
            pass  # counts and hashes the file
        self._file.seek(0)
        names, line = self._header()
        self._names = names
        self._places = kept_places(names, line)
        self.columns = tuple(names[place] for place in self._places)

    def _judged(self) -> Iterator[list[bytes]]:
        batch: list[Candidate] = []
        for line, row in self._values():
            candidate = self._candidate(line, row)
            if candidate is not None:
                batch.append(candidate)
            if len(batch) >= BATCH:
                yield self._accepted(iter(batch))
                batch = []
        yield self._accepted(iter(batch))

    def _candidate(self, line: int | None, row: Sequence[Any]) -> Candidate | None:
        texts: list[str] = []
        fault: Fault | None = None
        for place, value in enumerate(row):
            try:
                texts.append(text_of(value))
            except ValueError:
                texts.append("")
                fault = Fault(self._name(place), "encoding", "is bytes that are not UTF-8 text")
        if fault is None and not any(texts):
            return None
        fault = fault or self._fault(texts)
        values = tuple(texts[place] for place in self._places)
        if fault is not None:
            return Candidate(line, b"", tuple(texts), b"", fault)
        return Candidate(line, b"", values, SEPARATOR.join([value.encode() for value in values]))

    def _fault(self, texts: Sequence[str]) -> Fault | None:
        if sum(map(len, texts)) > RECORD_LIMIT // 4:
            return Fault(None, "too_long", f"the record is {TOO_LONG}")
        for place, text in enumerate(texts):
            if text and place >= len(self._names):
                return Fault(None, "ragged", f"{text[:40]!r} stands in a column without a name")
            if "\0" in text:
                return Fault(self._name(place), "nul", "contains a NUL character")
            if not is_encodable(text):
                return Fault(self._name(place), "encoding", "is no valid text")
        return None

    def _name(self, place: int) -> str:
        return self._names[place] if place < len(self._names) else str(place + 1)

    @abstractmethod
    def _header(self) -> tuple[list[str], int | None]:
        """The names of the columns and the line on which they stand. Raises Damaged, UsageError."""

    @abstractmethod
    def _values(self) -> Iterator[tuple[int | None, Sequence[Any]]]:
        """Rows of at least as many values as there are names, each with its line. Raises Damaged."""


def missing(what: str, extra: str) -> UsageError:
    """The error for an input whose reader is an extra that is not installed."""
    return UsageError(
        f"the input is {what}, and what reads it is not installed",
        hint=f"pip install 'jobctl[{extra}]', or save it as CSV",
    )
