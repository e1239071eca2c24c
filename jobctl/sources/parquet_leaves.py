"""The values of a column of one simple Arrow type as texts. No value raises an error.

Values are read as whole numbers or bytes where Python's own types would lose something: nanoseconds, years after 9999,
strings that are not UTF-8.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from jobctl.domain.payload import Fault
from jobctl.sources.iso_moments import date_text, duration_text, time_text, timestamp_text, zone_of
from jobctl.sources.json_cells import Bare, Cell, float_cell, float_text
from jobctl.sources.wkb import shape_text

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_MS_OF_DAY = 86_400_000
_NO_ZONE = zone_of(None)
_HALF = struct.Struct("<e")

#: Used as the logical type of a column of the physical type INT96.
INT96 = "INT96"

Cells = Sequence[Cell]
#: The cells of an array.
Reader = Callable[[Any], Cells]


def reader_of(kind: Any, logical: str) -> tuple[Reader, bool]:
    """Return the reader for arrays of an Arrow type, and True if its texts have no quotes in JSON.

    ``logical`` is the type that Parquet gives the column; it is needed for columns that Arrow knows only as bytes.
    """
    from pyarrow import types

    if logical == INT96:
        return _Int96(), False
    if types.is_null(kind):
        return lambda array: [None] * len(array), False
    if types.is_boolean(kind):
        return _booleans, True
    if types.is_integer(kind):
        return _arrow_texts, True
    if types.is_decimal(kind):
        return _decimals, True
    if types.is_floating(kind):
        return _floats_of(kind), False  # the reader itself marks the values that are bare
    return (_temporal(kind) or _bytes_of(kind, logical)), False


def _arrow_texts(array: Any) -> Cells:
    cells: Cells = array.cast("string").to_pylist()
    return cells


def _booleans(array: Any) -> Cells:
    return [None if value is None else "true" if value else "false" for value in array.to_pylist()]


def _decimals(array: Any) -> Cells:
    return [None if value is None else f"{value:f}" for value in array.to_pylist()]


def _floats_of(kind: Any) -> Reader:
    if kind.bit_width == 64:
        return lambda array: [None if value is None else float_cell(float_text(value)) for value in array.to_pylist()]
    return _singles if kind.bit_width == 32 else _halves


def _singles(array: Any) -> Cells:
    """Arrow knows the shortest text of a number of four bytes: 0.1, not 0.10000000149011612."""
    texts = array.cast("string").to_pylist()
    return [None if text is None else float_cell(float_text(float(text))) for text in texts]


def _halves(array: Any) -> Cells:
    return [None if value is None else float_cell(_half_text(value)) for value in array.to_pylist()]


def _half_text(value: float) -> str:
    """The shortest text that identifies a number of two bytes; whole numbers are exact."""
    if value - value == 0 and not value.is_integer():  # finite
        packed = _HALF.pack(value)
        for digits in range(1, 6):
            near = float(f"{value:.{digits}g}")
            if abs(near) <= 65_504 and _HALF.pack(near) == packed:
                return float_text(near)
    return float_text(value)


def _temporal(kind: Any) -> Reader | None:
    from pyarrow import types

    if types.is_date32(kind):
        return _integers(date_text, "int32")
    if types.is_date64(kind):
        return _integers(_date64_text, "int64")
    if types.is_time(kind):
        return _integers(partial(time_text, per_second=_PER_SECOND[kind.unit]), f"int{kind.bit_width}")
    if types.is_duration(kind):
        return _integers(partial(duration_text, per_second=_PER_SECOND[kind.unit]), "int64")
    if types.is_timestamp(kind):
        return _integers(partial(timestamp_text, per_second=_PER_SECOND[kind.unit], zone=zone_of(kind.tz)), "int64")
    if types.is_interval(kind):
        return lambda array: [None if value is None else _period(*value) for value in array.to_pylist()]
    return None


class _Int96:
    """Days and nanoseconds of old writers. Outside of the years 1678 to 2261, Arrow's nanoseconds overflow.

    Each array comes twice: in milliseconds, which do not overflow, and then in nanoseconds, whose last digits are right
    in any case.
    """

    def __init__(self) -> None:
        self._milliseconds: deque[list[int | None]] = deque()

    def __call__(self, array: Any) -> Cells:
        values = array.view("int64").to_pylist()
        if array.type.unit == "ms":
            self._milliseconds.append(values)
            return [None] * len(values)
        both = zip(self._milliseconds.popleft(), values, strict=True)
        return [None if wide is None else text_or_fault(_int96_text, (wide, wrapped)) for wide, wrapped in both]


def _int96_text(both: tuple[int, int]) -> str:
    milliseconds, wrapped = both
    if abs(milliseconds) >= 2**63 // 1000:  # no writer has more than 64 bits of microseconds
        raise ValueError("is an INT96 time stamp that overflowed when it was written")
    rough = milliseconds * 10**6
    return timestamp_text(rough + (wrapped - rough) % 2**64, 10**9, _NO_ZONE)


def _date64_text(milliseconds: int) -> str:
    return date_text(milliseconds // _MS_OF_DAY)


def _integers(text: Callable[[int], str], stored: str) -> Reader:
    return lambda array: [text_or_fault(text, value) for value in array.view(stored).to_pylist()]


def text_or_fault(text: Callable[[Any], str | None], value: Any) -> Cell:
    """Apply a function to each value that is not null; a ValueError becomes a fault."""
    if value is None:
        return None
    try:
        return text(value)
    except UnicodeDecodeError:
        return Fault(None, "encoding", "is bytes that are not UTF-8 text")
    except ValueError as error:
        return Fault(None, "value", str(error))


def _period(months: int, days: int, nanoseconds: int) -> str:
    """An ISO 8601 duration: P14M3DT0.5S."""
    seconds, part = divmod(abs(nanoseconds), 10**9)
    sign = "-" if nanoseconds < 0 else ""
    fraction = f".{part:09}".rstrip("0") if part else ""
    time = f"T{sign}{seconds}{fraction}S" if nanoseconds or not (months or days) else ""
    return f"P{f'{months}M' if months else ''}{f'{days}D' if days else ''}{time}"


def _interval_text(data: bytes) -> str:
    months, days, milliseconds = struct.unpack("<III", data)
    return _period(months, days, milliseconds * 10**6)


def _uuid_text(data: bytes) -> str:
    return str(UUID(bytes=data))


_TEXT_OF_BYTES: dict[str, Callable[[bytes], str]] = {
    "INTERVAL": _interval_text,
    "UUID": _uuid_text,
    "GEOMETRY": shape_text,
    "GEOGRAPHY": shape_text,
}


def _bytes_of(kind: Any, logical: str) -> Reader:
    """Bytes are UTF-8 text unless Parquet names another type."""
    from pyarrow import types

    text = _TEXT_OF_BYTES.get(logical, bytes.decode)
    if types.is_string(kind) or types.is_large_string(kind):
        return _strings
    if types.is_string_view(kind):
        return lambda array: _strings(array.cast("large_string"))
    return lambda array: [text_or_fault(text, value) for value in array.to_pylist()]


def _strings(array: Any) -> Cells:
    try:
        cells: Cells = array.to_pylist()
    except UnicodeDecodeError:  # the file declares it as text, but it is not
        stored = "large_binary" if str(array.type) == "large_string" else "binary"
        return [text_or_fault(bytes.decode, value) for value in array.view(stored).to_pylist()]
    return cells


def bare(cells: Cells) -> Cells:
    """The same as a text without quotes in JSON."""
    return [Bare(cell) if isinstance(cell, str) else cell for cell in cells]
