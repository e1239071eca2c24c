"""The fingerprint of a submission: the rows in order, the command, and the options that affect results.

Slots, rates, labels and the path of the file do not count; neither do a BOM, line ends or quoting.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


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
        found.append(f"the command: {_said(old)} then, {_said(new)} now")
    if list(old.columns) != list(new.columns):
        found.append(f"the columns: {', '.join(old.columns)} then, {', '.join(new.columns)} now")
    elif old.rows_sha256 != new.rows_sha256:
        found.append(f"the rows: sha256 {old.rows_sha256[:12]} then, {new.rows_sha256[:12]} now")
    for name in sorted({*old.options, *new.options}):
        before, after = old.options.get(name), new.options.get(name)
        if _canonical(before) != _canonical(after):
            found.append(f"{name}: {_canonical(before)} then, {_canonical(after)} now")
    return found


def _said(work: Work) -> str:
    return f"{work.handler} {_canonical(work.command)}"
