"""The comparison of rows by their content, in the columns that ``--new-by`` names, and of whole submissions.

Two submissions are the same work if they have the same rows in the same order, the same command, and the same options
that affect results. Slots, rates, labels and the path of the file do not count; neither do a BOM, line ends or quoting.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

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


class Work(NamedTuple):
    """Everything that affects the results of a job; ``command`` and ``options`` hold JSON values only."""

    columns: Sequence[str]
    rows_sha256: str
    handler: str
    command: Any
    options: Mapping[str, Any]


def fingerprint(
    columns: Sequence[str], rows_sha256: str, handler: str, command: Any, options: Mapping[str, Any]
) -> str:
    """SHA-256 (hex) over the canonical JSON of a ``Work``."""
    work = Work(columns, rows_sha256, handler, command, options)
    return hashlib.sha256(_canonical(work._asdict()).encode()).hexdigest()


def _canonical(value: Any) -> str:
    # Escapes keep it ASCII: an argument that is not valid UTF-8 arrives here with surrogates and must not fail.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def differences(old: Work, new: Work) -> list[str]:
    """The differences between the new work and the old one, in words; the most telling one comes first."""
    found = []
    if (old.handler, _canonical(old.command)) != (new.handler, _canonical(new.command)):
        found.append(f"the command: {_described(old)} then, {_described(new)} now")
    if list(old.columns) != list(new.columns):
        found.append(f"the columns: {', '.join(old.columns)} then, {', '.join(new.columns)} now")
    elif old.rows_sha256 != new.rows_sha256:
        found.append(f"the rows: sha256 {old.rows_sha256[:12]} then, {new.rows_sha256[:12]} now")
    for name in sorted({*old.options, *new.options}):
        before, after = old.options.get(name), new.options.get(name)
        if _canonical(before) != _canonical(after):
            found.append(f"{name}: {_canonical(before)} then, {_canonical(after)} now")
    return found


def _described(work: Work) -> str:
    return f"{work.handler} {_canonical(work.command)}"
