"""VARIANT columns: binary values, or parts of them in columns of their own (Apache's VariantShredding.md)."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from jobctl.domain.payload import Fault
from jobctl.sources.json_cells import Bare, Cell, json_of, list_of, object_of, quoted
from jobctl.sources.parquet_column import Json, ParquetColumn, sizes_of
from jobctl.sources.parquet_leaves import Cells, text_or_fault
from jobctl.sources.variant import Variant

MakeColumn = Callable[[Any], ParquetColumn]
Variants = Sequence[Variant | Fault | None]
_CONTRADICTION = Fault(None, "value", "is a VARIANT whose parts contradict each other")


class _Missing:
    """A member that an object does not have."""


_MISSING = _Missing()


def is_variant(kind: Any) -> bool:
    """True if a struct is stored as VARIANT. Not every writer declares it, so the members decide."""
    from pyarrow import types

    members = {kind.field(place).name: kind.field(place).type for place in range(kind.num_fields)}
    if "metadata" not in members or not members.keys() <= {"metadata", "value", "typed_value"} or len(members) < 2:
        return False
    binaries = [members[name] for name in ("metadata", "value") if name in members]
    return all(types.is_binary(kind) or types.is_large_binary(kind) or _is_coded(kind) for kind in binaries)


def _is_coded(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_dictionary(kind) and types.is_binary(kind.value_type))


def variant_of(kind: Any, column: MakeColumn) -> ParquetColumn:
    """The reader of a struct that is stored as VARIANT."""
    return _VariantColumn(_Shredded(kind, column))


class _VariantColumn(ParquetColumn):
    def __init__(self, values: _Shredded) -> None:
        self._values = values

    def cells(self, array: Any) -> Cells:
        metadata = _bytes(_part(array, "metadata"))
        known: dict[bytes, Variant | Fault] = {}
        variants = [None if data is None else _variant(data, known) for data in metadata]
        cells = self._values.cells(variants, array)
        there = array.is_valid().to_pylist()
        return [
            None if not valid or isinstance(cell, _Missing) else cell for valid, cell in zip(there, cells, strict=True)
        ]


def _variant(metadata: bytes, known: dict[bytes, Variant | Fault]) -> Variant | Fault:
    if metadata not in known:
        try:
            known[metadata] = Variant(metadata)
        except ValueError as error:
            known[metadata] = Fault(None, "value", str(error))
    return known[metadata]


class _Shredded:
    """A value that is binary, or typed, or an object whose members are each binary or typed."""

    def __init__(self, kind: Any, column: MakeColumn) -> None:
        self._typed: _Typed | _TypedObject | None = None
        for place in range(kind.num_fields):
            field = kind.field(place)
            if field.name == "typed_value":
                self._typed = _typed_of(field.type, column)
            else:
                column(field.type)  # metadata and value take their places in the order of the columns

    def cells(self, variants: Variants, array: Any) -> list[Cell | _Missing]:
        """The value of each row. ``variants`` has the reader of the binary values of each row."""
        nothing = [None] * len(array)
        values = _bytes(_part(array, "value")) or nothing
        typed_part = _part(array, "typed_value")
        typed = nothing if self._typed is None else self._typed.found(variants, typed_part)
        return [*map(_combined, variants, values, typed)]


def _combined(variant: Variant | Fault | None, value: bytes | None, typed: Any) -> Cell | _Missing:
    if isinstance(variant, Fault):
        return variant
    if variant is None or (value is None and typed is None):
        return _MISSING
    if typed is None:
        return text_or_fault(variant.cell, value)
    if not isinstance(typed, dict):
        return typed if value is None else _CONTRADICTION
    try:
        others = {} if value is None else variant.members(value)
    except ValueError as error:
        return Fault(None, "value", str(error))
    return _CONTRADICTION if others is None else object_of(sorted({**others, **typed}.items()))


def _typed_of(kind: Any, column: MakeColumn) -> _Typed | _TypedObject:
    from pyarrow import types

    if types.is_struct(kind):
        return _TypedObject(kind, column)
    if types.is_nested(kind):
        return _TypedList(_Shredded(kind.value_type, column))
    return _TypedLeaf(column(kind), is_binary=types.is_binary(kind) or types.is_large_binary(kind))


class _Typed(ABC):
    @abstractmethod
    def found(self, variants: Variants, array: Any) -> Sequence[Cell]:
        """Each value; None in rows without a value of this type."""


class _TypedLeaf(_Typed):
    def __init__(self, column: ParquetColumn, *, is_binary: bool) -> None:
        self._column = column
        self._is_binary = is_binary

    def found(self, _variants: Variants, array: Any) -> Sequence[Cell]:
        if self._is_binary:  # as in a binary VARIANT
            return [None if data is None else base64.b64encode(data).decode() for data in _bytes(array)]
        return [
            cell if not isinstance(cell, str) or text == quoted(cell) else Bare(cell)
            for cell, text in zip(self._column.cells(array), self._column.json(array), strict=True)
        ]


class _TypedList(_Typed):
    def __init__(self, items: _Shredded) -> None:
        self._items = items

    def found(self, variants: Variants, array: Any) -> Sequence[Cell]:
        sizes = sizes_of(array)
        spread = [variant for variant, size in zip(variants, sizes, strict=True) for _ in range(size or 0)]
        cells = iter(self._items.cells(spread, array.flatten()))
        return [
            None if size is None else list_of([json_of(_or_none(cell)) for cell in islice(cells, size)])
            for size in sizes
        ]


class _TypedObject:
    def __init__(self, kind: Any, column: MakeColumn) -> None:
        fields = [kind.field(place) for place in range(kind.num_fields)]
        self._members = [(field.name, _Shredded(field.type, column)) for field in fields]

    def found(self, variants: Variants, array: Any) -> Sequence[dict[str, Json] | None]:
        """The members of each object as JSON; None in rows without an object."""
        columns = [
            [(name, cell) for cell in member.cells(variants, part)]
            for (name, member), part in zip(self._members, array.flatten(), strict=True)
        ]
        rows = zip(*columns, strict=True)
        return [
            {name: json_of(cell) for name, cell in row if not isinstance(cell, _Missing)} if there else None
            for there, row in zip(array.is_valid().to_pylist(), rows, strict=True)
        ]


def _or_none(cell: Cell | _Missing) -> Cell:
    return None if isinstance(cell, _Missing) else cell


def _part(array: Any, name: str) -> Any:
    """A member of a struct, null where the struct is null; None if the struct has no such member."""
    place = array.type.get_field_index(name)
    return None if place < 0 else array.flatten()[place]


def _bytes(array: Any) -> Sequence[bytes | None]:
    values: Sequence[bytes | None] = [] if array is None else array.to_pylist()
    return values
