"""Shapes of GEOMETRY and GEOGRAPHY columns: well-known binary (OGC 06-103r4) as well-known text."""

from __future__ import annotations

import struct

from jobctl.sources.json_cells import float_text
from jobctl.sources.stream import RECORD_LIMIT

_NAMES = {
    1: "POINT",
    2: "LINESTRING",
    3: "POLYGON",
    4: "MULTIPOINT",
    5: "MULTILINESTRING",
    6: "MULTIPOLYGON",
    7: "GEOMETRYCOLLECTION",
}
_AXES = {0: (2, ""), 1: (3, " Z"), 2: (3, " M"), 3: (4, " ZM")}
_DEEPEST = 50
#: PostGIS's own bits for Z, M and an identifier of the reference system.
_EWKB_Z, _EWKB_M, _EWKB_SRID = 0x80000000, 0x40000000, 0x20000000


def shape_text(data: bytes) -> str:
    """A shape as text, for example ``POINT (30 10)``. Raises ValueError for bytes that are not a shape."""
    try:
        text, end = _shape(data, 0, 0)
    except struct.error as error:
        raise ValueError("is a shape (WKB) that is cut off") from error
    if end != len(data):
        raise ValueError("is a shape (WKB) with bytes after its end")
    return text


def _shape(data: bytes, at: int, depth: int) -> tuple[str, int]:
    """The text of the shape at a position, and the position of its end."""
    kind, axes, dimension, order, at = _header(data, at)
    if depth > _DEEPEST or kind not in _NAMES:
        raise ValueError(f"is a shape (WKB) of the unknown type {kind}")
    if kind == 1:
        numbers = struct.unpack_from(f"{order}{axes}d", data, at)
        at += 8 * axes
        inside = "" if all(number != number for number in numbers) else _point(numbers)
    elif kind == 2:
        inside, at = _points(data, at, order, axes)
    elif kind == 3:
        inside, at = _rings(data, at, order, axes)
    else:
        inside, at = _parts(data, at, order, kind, depth)
    return f"{_NAMES[kind]}{dimension} {f'({inside})' if inside else 'EMPTY'}", at


def _header(data: bytes, at: int) -> tuple[int, int, str, str, int]:
    order = "<" if data[at : at + 1] == b"\1" else ">"
    (kind,) = struct.unpack_from(f"{order}I", data, at + 1)
    at += 5
    extra = 4 if kind & _EWKB_SRID else 0
    flags = (1 if kind & _EWKB_Z else 0) + (2 if kind & _EWKB_M else 0)
    thousands, kind = divmod(kind & 0x0FFFFFFF, 1000)
    if thousands not in _AXES:
        raise ValueError("is a shape (WKB) of an unknown dimension")
    axes, dimension = _AXES[thousands or flags]
    return kind, axes, dimension, order, at + extra


def _point(numbers: tuple[float, ...]) -> str:
    return " ".join(map(float_text, numbers))


def _count(data: bytes, at: int, order: str) -> tuple[int, int]:
    (count,) = struct.unpack_from(f"{order}I", data, at)
    if count > min(len(data), RECORD_LIMIT):
        raise ValueError("is a shape (WKB) that is cut off")
    return count, at + 4


def _points(data: bytes, at: int, order: str, axes: int) -> tuple[str, int]:
    count, at = _count(data, at, order)
    form = struct.Struct(f"{order}{axes}d")
    points = [_point(form.unpack_from(data, at + number * form.size)) for number in range(count)]
    return ", ".join(points), at + count * form.size


def _rings(data: bytes, at: int, order: str, axes: int) -> tuple[str, int]:
    count, at = _count(data, at, order)
    rings = []
    for _ in range(count):
        ring, at = _points(data, at, order, axes)
        rings.append(f"({ring})" if ring else "EMPTY")
    return ", ".join(rings), at


def _parts(data: bytes, at: int, order: str, kind: int, depth: int) -> tuple[str, int]:
    """Shapes within a shape; only a collection names their types again."""
    count, at = _count(data, at, order)
    parts = []
    for _ in range(count):
        part, at = _shape(data, at, depth + 1)
        if kind != 7:
            place = part.find("(")
            part = part[place:] if place >= 0 else "EMPTY"
        parts.append(part)
    return ", ".join(parts), at
