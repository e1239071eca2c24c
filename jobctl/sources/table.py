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
from jobctl.sources.problems import Candidate, Damaged
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


class Workbook(Table):
    """A sheet of an xlsx, xlsb, xls or ods file; formulas are the values they had when it was saved."""

    _what = "a workbook"
    _rows: Iterator[tuple[int, list[Any]]]

    def _header(self) -> tuple[list[str], int | None]:
        try:
            from python_calamine import CalamineError, CalamineWorkbook
        except ImportError as error:
            raise _missing(self._what, "xlsx") from error
        try:
            book = CalamineWorkbook.from_filelike(self._file)
            names = book.sheet_names
            wanted = self._options.sheet
            if wanted is not None and wanted not in names:
                raise UsageError(
                    f"--sheet {wanted!r}: there is no such sheet", hint=f"sheets: {', '.join(map(repr, names))}"
                )
            sheet = book.get_sheet_by_name(names[0] if wanted is None else wanted)
            self._rows = iter(enumerate(sheet.iter_rows(), 1))
        except CalamineError as error:
            raise Damaged("workbook", f"this is no workbook that can be read: {error}") from error
        return self._first_row(f"the sheet {sheet.name!r} is empty")

    def _first_row(self, empty: str) -> tuple[list[str], int | None]:
        for line, row in self._rows:
            texts = [text_of(value) for value in row]
            if not any(texts):
                continue
            if not self._kind.header:
                self._rows = _again((line, row), self._rows)
                return [str(number) for number in range(1, len(texts) + 1)], None
            while texts and not texts[-1].strip():
                texts.pop()
            return texts, line
        raise Damaged("empty", empty)

    def _values(self) -> Iterator[tuple[int | None, Sequence[Any]]]:
        yield from self._rows


class Parquet(Table):
    """A Parquet file, read in batches."""

    _what = "a Parquet file"

    def _header(self) -> tuple[list[str], int | None]:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise _missing(self._what, "parquet") from error
        self._errors = (pyarrow.ArrowException, OSError)
        try:
            self._parquet = pyarrow.parquet.ParquetFile(self._file)
        except self._errors as error:
            raise Damaged("parquet", f"this is no Parquet file that can be read: {error}") from error
        return list(self._parquet.schema_arrow.names), None

    def _values(self) -> Iterator[tuple[int | None, Sequence[Any]]]:
        try:
            for batch in self._parquet.iter_batches(batch_size=BATCH):
                columns = [_whole_microseconds(column).to_pylist() for column in batch.columns]
                for row in zip(*columns, strict=True):
                    yield None, row
        except self._errors as error:
            raise Damaged("parquet", f"the Parquet data is damaged: {error}") from error


def _whole_microseconds(column: Any) -> Any:
    """Python's times have no nanoseconds."""
    import pyarrow

    kind = column.type
    if pyarrow.types.is_timestamp(kind) and kind.unit == "ns":
        return column.cast(pyarrow.timestamp("us", kind.tz), safe=False)
    return column


def _again(first: tuple[int, list[Any]], rest: Iterator[tuple[int, list[Any]]]) -> Iterator[tuple[int, list[Any]]]:
    yield first
    yield from rest


def _missing(what: str, extra: str) -> UsageError:
    return UsageError(
        f"the input is {what}, and what reads it is not installed",
        hint=f"pip install 'jobctl[{extra}]', or save it as CSV",
    )
