"""The content by which rows are compared: the whole row, or the columns that ``--new-by`` names."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from jobctl.domain.payload import SEPARATOR
from jobctl.errors import UsageError

Content = Callable[[bytes], bytes]


def counted_columns(input_format: str, columns: Sequence[str], new_by: Sequence[str]) -> tuple[str | int, ...]:
    """The columns that count, for ``reader``: keys of a JSON row, otherwise positions.

    They are sorted by name, so neither the order in which the columns are named nor the order in the file matters.

    Raises UsageError with the list of columns for an unknown one. A JSON row may lack a key, which counts as null.
    """
    if input_format == "jsonl":
        return tuple(sorted(set(new_by)))
    for name in new_by:
        if name not in columns:
            from jobctl.domain.lookalike import column_hint

            there = f"columns: {', '.join(columns)}" if columns else "plain lines have no columns"
            raise UsageError(f"--new-by {name!r}: there is no such column", hint=column_hint(name, columns, there))
    return tuple(list(columns).index(name) for name in sorted(set(new_by)))


def reader(counted: Sequence[str | int]) -> Content:
    """Return a function that extracts the content of a payload. ``worker.main`` has a copy of it: change both."""
    if not counted:
        return lambda payload: payload
    if isinstance(counted[0], str):
        return lambda payload: _of_json(payload, counted)
    return lambda payload: _of_fields(payload, counted)


def _of_fields(payload: bytes, counted: Sequence[str | int]) -> bytes:
    fields = payload.split(SEPARATOR)
    return SEPARATOR.join([fields[place] for place in counted])  # type: ignore[index]


def _of_json(payload: bytes, counted: Sequence[str | int]) -> bytes:
    row = json.loads(payload, parse_int=_spelled, parse_float=_spelled)
    return json.dumps([row.get(name) for name in counted], sort_keys=True).encode()


def _spelled(number: str) -> dict[str, str]:
    """A number as the row spells it; no text in a row is equal to this value."""
    return {"\0": number}
