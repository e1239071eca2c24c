"""Columns of a Parquet file as texts: simple values directly, nested values as JSON.

A ``ParquetColumn`` is made once from the type of a column, and reads arrays of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from jobctl.domain.payload import Fault
from jobctl.sources.json_cells import Bare, Cell, json_of, list_of, object_of
from jobctl.sources.parquet_column import Json, ParquetColumn, sizes_of
from jobctl.sources.parquet_leaves import Cells, bare, reader_of


def column_of(kind: Any, logical: Iterator[str]) -> ParquetColumn:
    """The reader of a type. ``logical`` gives the Parquet type of each simple column inside of it, in order."""
    from pyarrow import BaseExtensionType, types

    if isinstance(kind, BaseExtensionType):
        return _ExtensionColumn(column_of(kind.storage_type, _named(kind, logical)))
    if types.is_dictionary(kind):
        return _DictionaryColumn(column_of(kind.value_type, logical))
    if types.is_map(kind):
        return _MapColumn(column_of(kind.key_type, logical), column_of(kind.item_type, logical))
    if types.is_struct(kind):
        from jobctl.sources.parquet_variant import is_variant, variant_of

        make = variant_of if is_variant(kind) else _StructColumn.of
        return make(kind, lambda inner: column_of(inner, logical))
    if types.is_run_end_encoded(kind):
        return _RunEndsColumn(column_of(kind.value_type, logical))
    if types.is_nested(kind):
        return _ListColumn(column_of(kind.value_type, logical))
    return _LeafColumn(*reader_of(kind, next(logical, "NONE")))


def _named(kind: Any, logical: Iterator[str]) -> Iterator[str]:
    """The Parquet types inside of an extension type; the names of some extensions are more precise than Parquet's."""
    name = kind.extension_name
    known = {"arrow.uuid": "UUID", "geoarrow.wkb": "GEOMETRY"}
    return chain((known[name],), islice(logical, 1, None)) if name in known else logical


class _LeafColumn(ParquetColumn):
    def __init__(self, read: Callable[[Any], Cells], is_bare: bool) -> None:
        self._read = read
        self._is_bare = is_bare

    def cells(self, array: Any) -> Cells:
        return self._read(array)

    def json(self, array: Any) -> list[Json]:
        cells = self._read(array)
        return [*map(json_of, bare(cells) if self._is_bare else cells)]


class _ExtensionColumn(ParquetColumn):
    """A type with a name from an application; the stored type is sufficient."""

    def __init__(self, storage: ParquetColumn) -> None:
        self._storage = storage

    def cells(self, array: Any) -> Cells:
        return self._storage.cells(array.storage)

    def json(self, array: Any) -> list[Json]:
        return self._storage.json(array.storage)


class _DictionaryColumn(ParquetColumn):
    """Values that are stored once each; only those that occur are read."""

    def __init__(self, values: ParquetColumn) -> None:
        self._values = values

    def cells(self, array: Any) -> Cells:
        return self._spread(array, self._values.cells, None)

    def json(self, array: Any) -> list[Json]:
        return self._spread(array, self._values.json, "null")

    def _spread(self, array: Any, read: Callable[[Any], Sequence[Any]], nothing: Any) -> list[Any]:
        used = array.indices.unique().drop_null()
        found = dict(zip(used.to_pylist(), read(array.dictionary.take(used)), strict=True))
        found[None] = nothing
        return [found[index] for index in array.indices.to_pylist()]


class _RunEndsColumn(ParquetColumn):
    def __init__(self, values: ParquetColumn) -> None:
        self._values = values

    def cells(self, array: Any) -> Cells:
        from pyarrow import compute

        return self._values.cells(compute.run_end_decode(array))


class _NestedColumn(ParquetColumn):
    """Its text is its JSON."""

    def json(self, array: Any) -> list[Json]:
        return ["null" if cell is None else cell for cell in self.cells(array)]


class _ListColumn(_NestedColumn):
    def __init__(self, items: ParquetColumn) -> None:
        self._items = items

    def cells(self, array: Any) -> Cells:
        items = iter(self._items.json(array.flatten()))
        return [None if size is None else list_of(islice(items, size)) for size in sizes_of(array)]


class _StructColumn(_NestedColumn):
    def __init__(self, names: Sequence[str], members: Sequence[ParquetColumn]) -> None:
        self._names, self._members = names, members
        self._is_object = len(set(names)) == len(names)

    @classmethod
    def of(cls, kind: Any, column: Callable[[Any], ParquetColumn]) -> ParquetColumn:
        """The reader of a type with members."""
        fields = [kind.field(place) for place in range(kind.num_fields)]
        return cls([field.name for field in fields], [column(field.type) for field in fields])

    def cells(self, array: Any) -> Cells:
        columns = [column.json(part) for column, part in zip(self._members, array.flatten(), strict=True)]
        rows = zip(*columns, strict=True)
        return [
            self._text(row) if there else None for there, row in zip(array.is_valid().to_pylist(), rows, strict=True)
        ]

    def _text(self, row: Sequence[Json]) -> Cell:
        if self._is_object:
            return object_of(zip(self._names, row, strict=True))
        return list_of(list_of((json_of(name), item)) for name, item in zip(self._names, row, strict=True))


class _MapColumn(_NestedColumn):
    """An object if the keys are unique strings, otherwise a list of pairs."""

    def __init__(self, keys: ParquetColumn, items: ParquetColumn) -> None:
        self._keys, self._items = keys, items

    def cells(self, array: Any) -> Cells:
        offsets = array.offsets.to_pylist()
        start, size = offsets[0], offsets[-1] - offsets[0]
        keys = iter(self._keys.cells(array.keys.slice(start, size)))
        spelled = iter(self._keys.json(array.keys.slice(start, size)))
        items = iter(self._items.json(array.items.slice(start, size)))
        made: list[Cell] = []
        for there, begin, end in zip(array.is_valid().to_pylist(), offsets, offsets[1:], strict=False):
            count = end - begin
            entries = [*islice(keys, count)], [*islice(spelled, count)], [*islice(items, count)]
            made.append(_map_text(*entries) if there else None)
        return made


def _map_text(keys: Sequence[Cell], spelled: Sequence[Json], items: Sequence[Json]) -> Bare | Fault:
    names = [key for key, text in zip(keys, spelled, strict=True) if isinstance(key, str) and text[:1] == '"']
    if len(names) == len(keys) == len(Counter(names)):
        return object_of(zip(names, items, strict=True))
    return list_of(list_of(pair) for pair in zip(spelled, items, strict=True))
