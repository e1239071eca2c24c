"""SQLite as jobctl uses it: the library, and how statements name states.

This module chooses the one library that a process uses. pysqlite3 bundles a build without the WAL-reset bug.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from jobctl.domain import state_numbers

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any
else:
    try:
        from pysqlite3 import dbapi2 as sqlite3
    except ImportError:
        import sqlite3

Connection = sqlite3.Connection
Error = sqlite3.Error
DatabaseError = sqlite3.DatabaseError
IntegrityError = sqlite3.IntegrityError
OperationalError = sqlite3.OperationalError
Row = sqlite3.Row
#: Text that is not UTF-8 in a damaged file: each bad byte becomes a surrogate, and no query fails.
_TEXT = functools.partial(str, encoding="utf-8", errors="surrogateescape")
complete_statement = sqlite3.complete_statement
_STATES = {name: number for name, number in vars(state_numbers).items() if name.isupper()}
VERSION: tuple[int, ...] = sqlite3.sqlite_version_info


def connect(database: str | Path, **options: Any) -> Connection:
    """``sqlite3.connect``, for files whose text may be damaged."""
    connection: Connection = sqlite3.connect(database, **options)
    connection.text_factory = _TEXT
    return connection


def has_wal_reset_bug(version: tuple[int, ...] = VERSION) -> bool:
    """True if this build can corrupt a WAL database that two connections checkpoint.

    Source: sqlite.org/wal.html#walresetbug.
    """
    backports: dict[tuple[int, ...], int] = {(3, 44): 6, (3, 50): 7}
    fixed_patch = backports.get(version[:2])
    if fixed_patch is not None:
        return version[2] < fixed_patch
    return (3, 7, 0) <= version < (3, 51, 3)


def is_busy(error: BaseException) -> bool:
    """True if an error says that another connection keeps the database, so that another try may succeed."""
    text = str(error).lower()
    return "locked" in text or "busy" in text


CUT_OFF = "it ends within a page: the rest was cut off"


def is_cut_off(path: Path, page_size: int) -> bool:
    """True if a file ends within a page: SQLite would read zeros for the rest. A WAL may have that page."""
    wal = path.with_name(f"{path.name}-wal")
    return path.stat().st_size % page_size != 0 and not (wal.exists() and wal.stat().st_size)


def quick_check(execute: Callable[[str], Any], most: int = 5) -> list[str]:
    """The faults that a reading of the whole file finds, a line for each; none if it is sound. Raises DatabaseError."""
    rows = execute(f"PRAGMA quick_check({most})").fetchall()
    if rows == [("ok",)]:
        return []
    lines = [line for row in rows for line in str(row[0]).splitlines()]  # headings and findings may come in one row
    return [line for line in lines if not line.startswith("***")][:most] or lines


def with_states(sql: str) -> str:
    """The statement with the number of a state in place of each ``{NAME}``: ``state = {RUNNING}`` and so on.

    Raises KeyError for an unknown name.

    The number must be part of the text. SQLite uses a partial index (``items_running`` has the items of one state) only
    for a condition that it can compare with that of the index, and it knows no parameter's value when it plans.
    """
    return sql.format_map(_STATES)
