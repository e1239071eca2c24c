"""Reads a Parquet file in batches that are bounded in rows, in values and, as far as the file tells, in bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

from jobctl.process.isolated import ChildBounds
from jobctl.sources.contents import describe_file
from jobctl.sources.decoder import Decoder
from jobctl.sources.parquet_column import ParquetColumn
from jobctl.sources.parquet_leaves import INT96, Cells
from jobctl.sources.parquet_texts import column_of
from jobctl.sources.problems import Damaged
from jobctl.sources.stream import RECORD_LIMIT
from jobctl.sources.table import BATCH, DecodedTable

#: The most values of a batch; each value becomes a Python object.
_MOST_VALUES = 200_000
_MOST_BYTES = 16 << 20
#: The most compressed bytes of all columns together.
_BUFFERS = 64 << 20
_SMALLEST_BUFFER, _LARGEST_BUFFER = 8 << 10, 1 << 20
#: A file begins and ends with one of these; the second means an encrypted footer.
_MAGIC = (b"PAR1", b"PARE")
_HEAD = 8 << 10
_REMEDY = "write it with smaller row groups and pages, or save it as CSV"


class ParquetSource(DecodedTable):
    """A Parquet file, as a child process reads it."""

    _description = "a Parquet file"
    _package = "pyarrow"
    _extra = "parquet"
    _decoder = "jobctl.sources.parquet:ParquetDecoder"
    _bounds = ChildBounds(memory=1 << 30, cpu_s=300)
    _remedy = _REMEDY

    def _known_damage(self, message: str) -> Damaged | None:
        return _encrypted() if _is_about_encryption(message) else None


class ParquetDecoder(Decoder):
    """Reads a Parquet file with pyarrow."""

    _read = 0  # rows so far

    def header(self) -> tuple[list[str], int | None]:
        import pyarrow
        import pyarrow.parquet

        self._check_kind()
        pyarrow.set_cpu_count(1)  # each thread's stack counts as memory
        self._errors = (pyarrow.ArrowException, OSError)
        try:
            self._metadata = pyarrow.parquet.read_metadata(self._file)
            self._parquet = self._opened()
            names = list(self._parquet.schema_arrow.names)
        except self._errors as error:
            raise _damage("this Parquet file cannot be read", error) from error
        except UnicodeDecodeError as error:
            raise Damaged("encoding", "the schema has a name that is not UTF-8 text") from error
        except KeyError as error:
            raise Damaged("parquet", f"row groups have a column that the schema does not have: {error}") from error
        schema = self._metadata.schema
        leaves = [schema.column(place) for place in range(len(schema))]
        self._logical = [_logical(leaf) for leaf in leaves]
        #: A second reader of the file, which gives old time stamps in milliseconds.
        self._in_milliseconds = self._opened(coerce_int96_timestamp_unit="ms") if INT96 in self._logical else None
        return names, None

    def _check_kind(self) -> None:
        """Raise Damaged for another kind of file, and for one that has lost its end, where Parquet keeps its index."""
        self._file.seek(0)
        head = self._file.read(_HEAD)
        if not head.startswith(_MAGIC):
            what, remedy = describe_file(head, _HEAD)
            raise Damaged("parquet", f"this is not a Parquet file: it {what}", hint=remedy)
        self._file.seek(-len(_MAGIC[0]), os.SEEK_END)
        if self._file.read() not in _MAGIC:
            message = "the Parquet file is cut off, or has something behind its end"
            raise Damaged("parquet", message, hint="write or fetch it again")
        self._file.seek(0)

    def _opened(self, **options: Any) -> Any:
        from pyarrow.parquet import ParquetFile

        columns = max(1, self._metadata.num_columns)
        return ParquetFile(
            self._file,
            metadata=self._metadata,
            read_dictionary=self._coded_columns(),
            buffer_size=max(_SMALLEST_BUFFER, min(_LARGEST_BUFFER, _BUFFERS // columns)),
            pre_buffer=False,
            page_checksum_verification=True,
            **options,
        )

    def _coded_columns(self) -> list[str]:
        """String columns that store each value once. They stay so, because a long value may be used a million times."""
        if not self._metadata.num_row_groups:
            return []
        group = self._metadata.row_group(0)
        columns = [group.column(place) for place in range(group.num_columns)]
        return [
            column.path_in_schema
            for column in columns
            if column.physical_type == "BYTE_ARRAY" and {"RLE_DICTIONARY", "PLAIN_DICTIONARY"} & {*column.encodings}
        ]

    def rows(self) -> Iterator[tuple[int | None, Sequence[Any]]]:
        try:
            for number in range(self._metadata.num_row_groups):
                yield from self._rows_of(number)
        except self._errors as error:
            raise _damage("the Parquet data is damaged", error) from error

    def _rows_of(self, number: int) -> Iterator[tuple[int | None, Sequence[Any]]]:
        options = {"batch_size": self._batch_size(number), "row_groups": [number], "use_threads": False}
        batches = self._parquet.iter_batches(**options)
        second = repeat(None) if self._in_milliseconds is None else self._in_milliseconds.iter_batches(**options)
        columns: list[ParquetColumn] | None = None
        read = 0
        for batch, in_milliseconds in zip(batches, second, strict=False):
            columns = columns or self._columns_of(batch.schema)
            if in_milliseconds is not None:
                _cells(columns, in_milliseconds)  # the columns with old time stamps keep the values for the next call
            for row in zip(*_cells(columns, batch), strict=True):
                yield None, row
            read += batch.num_rows
            self._read += batch.num_rows
            self.watch(min(1.0, self._read / max(1, self._metadata.num_rows)))
        expected = self._metadata.row_group(number).num_rows
        if read != expected:
            raise Damaged("parquet", f"row group {number + 1} has {read:,} rows where the file says {expected:,}")

    def _columns_of(self, schema: Any) -> list[ParquetColumn]:
        logical = iter(self._logical)
        return [column_of(field.type, logical) for field in schema]

    def _batch_size(self, number: int) -> int:
        """The number of rows to read at once, from the file's own sizes of a group of rows, which may be wrong."""
        group = self._metadata.row_group(number)
        rows = max(1, group.num_rows)
        values = sum(group.column(place).num_values for place in range(group.num_columns)) // rows
        size = group.total_byte_size // rows
        if values > RECORD_LIMIT:
            message = f"row group {number + 1} has {values:,} values in each row, more than the limit of one record"
            raise Damaged("parquet", message, hint=_REMEDY)
        most: int = min(BATCH, _MOST_VALUES // max(1, values), _MOST_BYTES // max(1, size))
        return max(1, most)


def _cells(columns: Sequence[ParquetColumn], batch: Any) -> list[Cells]:
    return [column.cells(array) for column, array in zip(columns, batch.columns, strict=True)]


def _logical(column: Any) -> str:
    """Parquet's type of a column of bytes: INTERVAL, UUID, GEOMETRY..., NONE; INT96 for that physical type."""
    if column.physical_type == INT96:
        return INT96
    name: str = column.logical_type.type
    converted: str = column.converted_type
    return converted if name == "NONE" else name


def _is_about_encryption(text: str) -> bool:
    return "ncrypt" in text or "ecrypt" in text


def _encrypted() -> Damaged:
    return Damaged("encrypted", "the Parquet file is encrypted", hint="decrypt it, or save it as CSV")


def _damage(what: str, error: Exception) -> Damaged:
    if isinstance(error, MemoryError):
        raise error
    text = str(error)
    if _is_about_encryption(text):
        return _encrypted()
    if isinstance(error, NotImplementedError) or "ogical type" in text or "LogicalType" in text:
        hint = "install a newer pyarrow, or save it as CSV"
        return Damaged("parquet", f"this version of pyarrow cannot read the file: {text[:500]}", hint=hint)
    return Damaged("parquet", f"{what}: {text[:500]}")
