"""The interface of all readers of Parquet columns: they return the values as texts, and the values inside of JSON."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from jobctl.domain.payload import Fault
from jobctl.sources.json_cells import json_of
from jobctl.sources.parquet_leaves import Cells

Json = str | Fault


class ParquetColumn(ABC):
    """Reads arrays of one type."""

    @abstractmethod
    def cells(self, array: Any) -> Cells:
        """Each value as a text."""

    def json(self, array: Any) -> list[Json]:
        """Each value inside of JSON."""
        return [*map(json_of, self.cells(array))]


def sizes_of(array: Any) -> list[int | None]:
    """The number of items in each list; None for no list."""
    from pyarrow import compute

    sizes: list[int | None] = compute.list_value_length(array).to_pylist()
    return sizes
