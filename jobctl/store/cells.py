"""Gives the cells of a row the types of their fields, even if the database is damaged.

SQLite keeps any value in any column. ``store.damage`` judges the rows of jobs and names their faults. In all other rows
a cell that cannot be read counts as empty, so that it ends no command and no engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from jobctl.domain.endings import Ending
from jobctl.domain.texts import is_text, shown

#: No number of ours is larger: 100 years are 3e15 microseconds. Sums of such numbers do not overflow.
LARGEST = 1 << 60
_ENDINGS = frozenset(map(int, Ending))


def checked_cells(kind: type, row: Sequence[Any]) -> Sequence[Any]:
    """The cells of a row, in the types of a class that has one field for each cell."""
    return [check(cell) for check, cell in zip(_checks(kind), row, strict=False)]


@cache
def _checks(kind: type) -> list[Callable[[Any], Any]]:
    # A named tuple keeps its annotations as references, a dataclass as text.
    written = {
        name: str(getattr(annotation, "__forward_arg__", annotation))
        for name, annotation in kind.__annotations__.items()
    }
    return [_ending if name == "ending" else _CHECKS[text] for name, text in written.items()]


def _whole(cell: Any) -> int:
    return cell if type(cell) is int and -LARGEST < cell < LARGEST else 0


def _whole_or_none(cell: Any) -> int | None:
    return cell if cell is None or (type(cell) is int and -LARGEST < cell < LARGEST) else None


def _real_or_none(cell: Any) -> float | None:
    return cell if type(cell) in (int, float) and math.isfinite(cell) else None


def text_of(cell: Any) -> str:
    """The cell as a text that can be printed."""
    if type(cell) is str:
        return cell if is_text(cell) else shown(cell)
    return cell.decode("utf-8", "replace") if type(cell) is bytes else "" if cell is None else str(cell)


def _text_or_none(cell: Any) -> str | None:
    return None if cell is None else text_of(cell)


def _bytes(cell: Any) -> bytes:
    return cell if type(cell) is bytes else text_of(cell).encode()


def _ending(cell: Any) -> int | None:
    return cell if type(cell) is int and cell in _ENDINGS else None


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "int": _whole,
    "int | None": _whole_or_none,
    "float | None": _real_or_none,
    "str": text_of,
    "str | None": _text_or_none,
    "bytes": _bytes,
    "dict[str, Any]": lambda cell: cell,
    "list[int]": lambda cell: cell,
    "bool": bool,
    "frozenset[int] | None": lambda cell: cell,
    "Shape | None": lambda cell: cell,
}
