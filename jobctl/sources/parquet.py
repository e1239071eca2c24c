"""A Parquet file, read in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jobctl.process.isolated import Bounds
from jobctl.sources.decoder import Decoder
from jobctl.sources.problems import Damaged
from jobctl.sources.table import BATCH, Table


class Parquet(Table):
    """A Parquet file, as a child process reads it."""

    _what = "a Parquet file"
    _package = "pyarrow"
    _extra = "parquet"
    _decoder = "jobctl.sources.parquet:ParquetDecoder"
    _bounds = Bounds(memory=1 << 30, cpu_s=300)
    _way_out = "write it with smaller row groups and pages, or save it as CSV"


class ParquetDecoder(Decoder):
    """Reads a Parquet file with pyarrow."""

    def header(self) -> tuple[list[str], int | None]:
        import pyarrow
        import pyarrow.parquet

        pyarrow.set_cpu_count(1)  # each thread's stack counts as memory
        self._errors = (pyarrow.ArrowException, OSError)
        try:
            self._parquet = pyarrow.parquet.ParquetFile(self._file)
        except self._errors as error:
            raise Damaged("parquet", f"this is no Parquet file that can be read: {error}") from error
        return list(self._parquet.schema_arrow.names), None

    def rows(self) -> Iterator[tuple[int | None, Sequence[Any]]]:
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
