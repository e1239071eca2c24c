"""Candidates for shell completion from the store. A person waits at each key, so this module imports next to nothing.

It opens the database itself, read-only: it can neither write nor checkpoint, and it does not judge what it finds.
"""

from __future__ import annotations

from typing import Any

from jobctl.store import sqlite
from jobctl.store.sqlite import with_states

_QUEUES = (
    "SELECT name FROM queues UNION SELECT queue FROM (SELECT queue FROM jobs ORDER BY id DESC LIMIT 1000)"
    " UNION SELECT 'default' ORDER BY 1"
)
#: One statement for each state that people ask for, because each state has an index of its own.
_ITEMS = {
    "running": with_states("SELECT item FROM items WHERE job = ? AND state = {RUNNING} LIMIT ?"),
    "retrying": with_states("SELECT item FROM items WHERE job = ? AND state = {RETRYING} LIMIT ?"),
    "failed": with_states("SELECT item FROM items WHERE job = ? AND state = {FAILED} LIMIT ?"),
}


def jobs(path: str, limit: int) -> list[tuple[int, str, str]]:
    """(number, name, state) of the newest jobs."""
    found = _rows(path, "SELECT id, name, state FROM jobs ORDER BY id DESC LIMIT ?", limit)
    # A damaged row may have bytes for a name.
    return [(number, name if isinstance(name, str) else "", state) for number, name, state in found]


def items(path: str, job: int, limit: int) -> list[tuple[int, str]]:
    """(number, state) of items that are likely to be asked for: those that run, wait to be tried again, or failed."""
    return [(number, state) for state, sql in _ITEMS.items() for (number,) in _rows(path, sql, job, limit)]


def queues(path: str) -> list[str]:
    """The queues that have a row of their own or that jobs were put into lately."""
    return [name for (name,) in _rows(path, _QUEUES) if isinstance(name, str)]


def _rows(path: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
    connection = sqlite.connect(f"file:{_quoted(path)}?mode=ro", uri=True, timeout=1.0)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
