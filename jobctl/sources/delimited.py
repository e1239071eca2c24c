"""Reads CSV and TSV: RFC 4180 as Python's csv module reads it in strict mode. TSV may quote fields as CSV does."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING

from jobctl.domain.payload import RESULT_PREFIX, SEPARATOR, Fault
from jobctl.sources.csv_records import csv_reader, explain, is_unclosed, unclosed_record
from jobctl.sources.header import check_header, declared_delimiter, delimiter_name, is_encodable, likelier_delimiter
from jobctl.sources.problems import EMPTY, LINE_END, LINE_END_ADVICE, Damaged, InspectedRecord
from jobctl.sources.stream import LONE_CR, NOT_UTF8, RECORD_LIMIT, TOO_LONG, OverlongLine, is_utf8
from jobctl.sources.text import TextSource, has_blank, is_filled

if TYPE_CHECKING:
    from _csv import Reader

_JOB_COLUMN = RESULT_PREFIX + "job"
#: The beginning of the columns that jobctl adds to a header, with the delimiter of those columns.
_RESULT_HEADER = re.compile(rf"([^\w,]){_JOB_COLUMN}\1{RESULT_PREFIX}item\1")
_UNCLOSED = "a quoted field is opened and never closed"


class DelimitedSource(TextSource):
    """Rows with columns, named by a header or numbered."""

    _no_rows = "there is no row after the header"
    _names: Sequence[str]  # of all columns in the file, those of jobctl too
    _width: int
    _is_delimiter_declared = False  # True if the first line of the file names the delimiter
    _kept: Sequence[int] | None = None  # positions of columns that stay; None = all

    def _open(self) -> None:
        # jobctl refuses longer records itself, with a better message.
        csv.field_size_limit(max(csv.field_size_limit(), 8 * RECORD_LIMIT))
        self._delimiter = self._resolved.delimiter.encode()
        block, row, lines = self._first_record(self._without_sep_line(self._more(b"")))
        self._refuse_page(block)
        self._detect_terminator(block)
        ours = _RESULT_HEADER.search(row[0]) if len(row) == 1 and self._options.delimiter is None else None
        if ours is not None:
            row, lines = self._read_result_header(block, ours[1])
        elif self._options.delimiter is None and not self._is_delimiter_declared:
            self._check_delimiter(block, row)
        self._width = len(row)
        if not self._resolved.header:
            self._names = self.columns = tuple(str(number) for number in range(1, self._width + 1))
            self._pending = block
            return
        self._take_header(row)
        parts = block.split(b"\n", lines)
        self._pending = parts[lines] if len(parts) > lines else b""
        self._line += lines
        self._find_job(row)

    def _without_sep_line(self, block: bytes) -> bytes:
        """The block after a first line ``sep=;``, which names the delimiter."""
        line, _, rest = block.partition(b"\n")
        delimiter = declared_delimiter(line) if line[:5].lower().lstrip(b'"').startswith(b"sep=") else ""
        if not delimiter:
            return block
        self._line += 1
        if self._options.delimiter is None:
            self._is_delimiter_declared = True
            self._set_delimiter(delimiter)
        return rest or self._more(b"")

    def _set_delimiter(self, delimiter: str) -> None:
        self._resolved = replace(self._resolved, delimiter=delimiter)
        self._delimiter = delimiter.encode()

    def _check_delimiter(self, block: bytes, row: list[str]) -> None:
        """Raise Damaged if everything is in one column, and another delimiter would make a table of it."""
        likelier = likelier_delimiter(block, self._resolved.delimiter, row)
        if not likelier:
            return
        used, name = delimiter_name(self._resolved.delimiter), delimiter_name(likelier)
        if len(row) > 1:
            self.notices.append(f"the fields look separated by {name}s, not {used}s: see --delimiter {name}")
            return
        message = f"the fields look separated by {name}s, and by {used}s there is one column, {row[0]!r:.80}"
        hint = f"add --delimiter {name}; if there is really only one column, add --delimiter {used}"
        raise Damaged("delimiter", message, self._line, hint=hint)

    def _first_record(self, block: bytes) -> tuple[bytes, list[str], int]:
        """The first block of the file, its first record that is not blank, and the number of lines of that record."""
        while block:
            reader = self._reader(block, "surrogateescape")
            row: list[str] | None = None
            try:
                row = next(filter(None, reader), None)
            except csv.Error as error:
                if not is_unclosed(error):
                    if self._options.delimiter is None and not self._is_delimiter_declared:
                        self._check_delimiter(block, [_first_line(block)])
                    message = explain(error)
                    hint = LINE_END_ADVICE if message == LONE_CR else ""
                    raise Damaged("header", message, self._line + reader.line_num - 1, hint=hint) from error
                block += self._more(block)
                continue
            if row is not None:
                return block, row, reader.line_num
            more = self._read()
            block = block + more if more else b""
        raise Damaged("empty", "the file is empty")

    def _read_result_header(self, block: bytes, delimiter: str) -> tuple[list[str], int]:
        """The header of a result file of a job whose input had another delimiter than a comma."""
        self._set_delimiter(delimiter)
        reader = self._reader(block, "surrogateescape")
        return next(filter(None, reader)), reader.line_num

    def _take_header(self, row: list[str]) -> None:
        places = check_header(row, self._line)
        if row[0].startswith("#") and self._options.comment is None:
            self.notices.append(f"line {self._line} begins with #: if it is a comment, add --comment '#'")
        self._names = row
        self.columns = tuple(row[place] for place in places)
        if len(places) < len(row):
            self._kept = places

    def _find_job(self, header: list[str]) -> None:
        if _JOB_COLUMN not in header:
            return
        try:
            row: list[str] = next(filter(None, self._reader(self._pending)), [])
        except (csv.Error, UnicodeDecodeError):
            return  # the fault is reported when the row is read
        if len(row) == self._width:
            self.resubmit_of = row[header.index(_JOB_COLUMN)] or None

    def _reader(self, block: bytes, errors: str = "strict") -> Reader:
        return csv_reader(block, self._resolved.delimiter, errors)

    def _read_blocks(self) -> Iterator[bytes]:
        block, self._pending = self._pending, b""
        while True:
            if block:
                yield block
            begun, self._open_record = self._open_record, b""
            more = self._more(begun)
            if not more:
                return
            block = begun + more

    def _more(self, begun: bytes) -> bytes:
        """The next block; within a record, enough bytes to end that record. Raises Damaged if nothing ends it."""
        if not begun:
            return self._read()
        parts: list[bytes] = []
        size, quoted = 0, False
        # Reading twice as much each time keeps the work linear; a part without a quote cannot end the record.
        while not quoted or size < min(len(begun), RECORD_LIMIT - len(begun)):
            if len(begun) + (0 if quoted else size) > RECORD_LIMIT:
                raise Damaged("quote", f"{_UNCLOSED}, or {TOO_LONG}", self._line, self._record)
            part = self._read()
            if not part:
                break
            parts.append(part)
            size += len(part)
            quoted = quoted or b'"' in part
        if not quoted:
            raise Damaged("quote", _UNCLOSED, self._line, self._record)
        return b"".join(parts)

    @property
    def _record(self) -> int | None:
        """The number of the record that is being read; the header is not counted."""
        return self._records + 1 if self.columns else None

    def _read(self) -> bytes:
        try:
            return self._blocks.read()
        except OverlongLine as overlong:
            raise Damaged("too_long", f"the line is {TOO_LONG}", self._line, self._record) from overlong

    def _quick(self, block: bytes) -> list[bytes] | None:
        if b"\0" in block or len(block) > RECORD_LIMIT:
            return None
        if self._kept is None and b'"' not in block:
            return self._split(block)
        return self._parse(block)

    def _split(self, block: bytes) -> list[bytes] | None:
        """Split a block without quotes: a row is its line with other separators, so no field needs any work."""
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n")
        if b"\r" in block or not is_utf8(block):
            return None
        payloads = list(filter(None, block.replace(self._delimiter, SEPARATOR).split(b"\n")))
        separators = self._width - 1
        if {payload.count(SEPARATOR) for payload in payloads} - {separators} or has_blank(payloads):
            return None
        return payloads

    def _parse(self, block: bytes) -> list[bytes] | None:
        rows: list[list[str]] = []
        try:
            rows.extend(self._reader(block))
        except UnicodeDecodeError:
            return None
        except csv.Error as error:
            if not is_unclosed(error):
                return None
            self._open_record = unclosed_record(block, self._resolved.delimiter)
        widths = set(map(len, rows))
        if 0 in widths:
            rows = list(filter(None, rows))
        if widths - {0, self._width}:
            return None
        payloads = list(map(str.encode, map("\0".join, self._kept_fields(rows))))
        return None if has_blank(payloads) else payloads

    def _kept_fields(self, rows: list[list[str]]) -> Iterable[Sequence[str]]:
        if self._kept is None:
            return rows
        if len(self._kept) == 1:
            only = self._kept[0]
            return [(row[only],) for row in rows]
        return map(itemgetter(*self._kept), rows)

    def _slow(self, block: bytes) -> Iterator[InspectedRecord]:
        lines = block.split(b"\n")
        reader = self._reader(block, "surrogateescape")
        self._open_record = b""
        begin = 0
        while True:
            row: list[str] | None = None
            message = ""
            try:
                row = next(reader, None)
                if row is None:
                    return
            except csv.Error as error:
                if is_unclosed(error):
                    self._open_record = b"\n".join(lines[begin:])
                    return
                message = explain(error)
            raw = b"\n".join(lines[begin : reader.line_num]).removesuffix(b"\r")
            line, begin = self._line + begin, reader.line_num
            if row is None:
                yield InspectedRecord.broken(
                    line, raw, Fault(None, LINE_END if message == LONE_CR else "syntax", message)
                )
            elif row:
                yield self._candidate(line, raw, row)

    def _candidate(self, line: int, raw: bytes, row: list[str]) -> InspectedRecord:
        fault = self._fault(row, raw)
        if fault is not None:
            return InspectedRecord(line, raw, tuple(row), b"", fault)
        (values,) = self._kept_fields([row])
        payload = SEPARATOR.join(value.encode() for value in values)
        return InspectedRecord(line, raw, tuple(values), payload, None if is_filled(payload) else EMPTY)

    def _fault(self, row: list[str], raw: bytes) -> Fault | None:
        if len(raw) > RECORD_LIMIT:
            return Fault(None, "too_long", f"the record is {TOO_LONG}")
        if len(row) != self._width:
            if not "".join(row).strip():
                return EMPTY
            return Fault(None, "ragged", f"{_fields(len(row))} where the header has {self._width}")
        for index, value in enumerate(row):
            if "\0" in value:
                return Fault(self._names[index], "nul", "contains a NUL character")
            if not is_encodable(value):
                return Fault(self._names[index], "encoding", NOT_UTF8)
        return None


def _first_line(block: bytes) -> str:
    return block.lstrip().partition(b"\n")[0].decode("utf-8", "replace").rstrip("\r")


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"
