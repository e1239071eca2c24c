"""The binary form of a VARIANT in Parquet (Apache's specification: VariantEncoding.md) as a JSON text."""

from __future__ import annotations

import base64
import struct
from decimal import Context, Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

from jobctl.domain.payload import MAX_DEPTH
from jobctl.sources.iso_moments import date_text, time_text, timestamp_text, zone_of
from jobctl.sources.json_cells import Bare, float_cell, float_text, quoted
from jobctl.sources.stream import RECORD_LIMIT

#: The most characters of one value. Nested values count each time: offsets may name the same bytes again and again.
_MOST_TEXT = RECORD_LIMIT // 4
_EXACT = Context(prec=60)
_MICRO, _NANO = 10**6, 10**9
_UTC, _NO_ZONE = zone_of("UTC"), zone_of(None)
_FLOATS = {7: ("<d", 8), 14: ("<f", 4)}
_INT_SIZES = {3: 1, 4: 2, 5: 4, 6: 8}
_DECIMAL_SIZES = {8: 4, 9: 8, 10: 16}
_MOMENTS = {12: (_MICRO, _UTC), 13: (_MICRO, _NO_ZONE), 18: (_NANO, _UTC), 19: (_NANO, _NO_ZONE)}


class Variant:
    """Reads the values that belong to one metadata, which has the names of all their keys.

    Raises ValueError for bytes that are not a VARIANT: offsets outside of the value, unknown types, missing keys.
    """

    def __init__(self, metadata: bytes) -> None:
        data = _Bytes(metadata)
        header = data.number(0, 1)
        if header & 0x0F != 1:
            raise ValueError("is not a VARIANT of version 1")
        size = (header >> 6) + 1
        count = data.number(1, size)
        offsets = data.numbers(1 + size, count + 1, size)
        start = 1 + size * (count + 2)
        self._keys = [data.cut(start + a, start + b).decode() for a, b in pairwise(offsets)]
        self._room = 0

    def cell(self, value: bytes) -> str | None:
        """A value: a text, a bare JSON text, or None."""
        self._room = _MOST_TEXT
        return self._cell(_Bytes(value), 0, 0)

    def members(self, value: bytes) -> dict[str, str] | None:
        """The members of an object as JSON texts; None for another value."""
        data = _Bytes(value)
        self._room = _MOST_TEXT
        return self._members(data, 0, 0) if data.number(0, 1) & 3 == 2 else None

    def _json(self, data: _Bytes, at: int, depth: int) -> str:
        cell = self._cell(data, at, depth)
        text = "null" if cell is None else cell if isinstance(cell, Bare) else quoted(cell)
        self._room -= len(text)
        if self._room < 0:
            raise ValueError("is longer as a text than a record may be")
        return text

    def _cell(self, data: _Bytes, at: int, depth: int) -> str | None:
        if depth > MAX_DEPTH:
            raise ValueError(f"is nested more than {MAX_DEPTH} levels deep")
        header = data.number(at, 1)
        match header & 3:
            case 0:
                return _primitive(data, header >> 2, at + 1)
            case 1:
                return data.cut(at + 1, at + 1 + (header >> 2)).decode()
            case 2:
                members = self._members(data, at, depth).items()
                return Bare(f"{{{','.join([f'{quoted(key)}:{text}' for key, text in members])}}}")
            case _:
                return Bare(f"[{','.join(self._items(data, at, depth))}]")

    def _members(self, data: _Bytes, at: int, depth: int) -> dict[str, str]:
        header = data.number(at, 1) >> 2
        count_size = 4 if header & 16 else 1
        id_size, offset_size = (header >> 2 & 3) + 1, (header & 3) + 1
        count = data.number(at + 1, count_size)
        ids_at = at + 1 + count_size
        offsets_at = ids_at + count * id_size
        start = offsets_at + (count + 1) * offset_size
        ids = data.numbers(ids_at, count, id_size)
        offsets = data.numbers(offsets_at, count, offset_size)
        if any(number >= len(self._keys) for number in ids):
            raise ValueError("has a key that is not in its metadata")
        pairs = zip(ids, offsets, strict=True)
        return {self._keys[number]: self._json(data, start + offset, depth + 1) for number, offset in pairs}

    def _items(self, data: _Bytes, at: int, depth: int) -> list[str]:
        header = data.number(at, 1) >> 2
        count_size, offset_size = 4 if header & 4 else 1, (header & 3) + 1
        count = data.number(at + 1, count_size)
        offsets_at = at + 1 + count_size
        start = offsets_at + (count + 1) * offset_size
        offsets = data.numbers(offsets_at, count, offset_size)
        return [self._json(data, start + offset, depth + 1) for offset in offsets]


def _primitive(data: _Bytes, kind: int, at: int) -> str | None:
    if kind == 0:
        return None
    if kind in (1, 2):
        return Bare("true" if kind == 1 else "false")
    if kind in _INT_SIZES:
        return Bare(data.signed(at, _INT_SIZES[kind]))
    if kind in _DECIMAL_SIZES:
        return Bare(_decimal(data.signed(at + 1, _DECIMAL_SIZES[kind]), data.number(at, 1)))
    if kind in _FLOATS:
        form, size = _FLOATS[kind]
        value: float = struct.unpack(form, data.cut(at, at + size))[0]
        return float_cell(float_text(value) if size == 8 else _float32_text(value))
    if kind in _MOMENTS:
        return timestamp_text(data.signed(at, 8), *_MOMENTS[kind])
    return _rare_primitive(data, kind, at)


def _rare_primitive(data: _Bytes, kind: int, at: int) -> str | None:
    match kind:
        case 11:
            return date_text(data.signed(at, 4))
        case 15 | 16:
            content = data.cut(at + 4, at + 4 + data.number(at, 4))
            return content.decode() if kind == 16 else base64.b64encode(content).decode()
        case 17:
            return time_text(data.signed(at, 8), _MICRO)
        case 20:
            return str(UUID(bytes=data.cut(at, at + 16)))
        case _:
            raise ValueError(f"has the unknown VARIANT type {kind}")


def _decimal(unscaled: int, scale: int) -> str:
    if scale > 38:
        raise ValueError(f"has a VARIANT decimal with {scale} digits after the point")
    return f"{Decimal(unscaled).scaleb(-scale, _EXACT):f}"


def _float32_text(value: float) -> str:
    """The shortest text that identifies a number of 4 bytes; Arrow finds it."""
    import pyarrow

    return float_text(float(pyarrow.array([value], "float32").cast("string")[0].as_py()))


class _Bytes:
    """Bytes whose every access is checked against their length."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def cut(self, start: int, end: int) -> bytes:
        if not 0 <= start <= end <= len(self._data):
            raise ValueError("is a VARIANT that is cut off")
        return self._data[start:end]

    def number(self, at: int, size: int) -> int:
        return int.from_bytes(self.cut(at, at + size), "little")

    def numbers(self, at: int, count: int, size: int) -> list[int]:
        part = self.cut(at, at + count * size)
        return [int.from_bytes(part[place : place + size], "little") for place in range(0, len(part), size)]

    def signed(self, at: int, size: int) -> Any:
        return int.from_bytes(self.cut(at, at + size), "little", signed=True)
