"""What only the store knows, for shell completion: a key is being held down, so nothing is imported that is not needed.

This is the one place that reads the database without ``store.database``. It opens it read-only, so it can neither
write nor checkpoint, and says nothing at all when something is wrong.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

from jobctl.store import sqlite

LIMIT = 50
_ITEM_STATES = {1: "running", 2: "retrying", 4: "failed"}

Candidate = tuple[str, str]


def complete(arguments: list[str]) -> None:
    """Print ``value<TAB>what it is`` for ``KIND [--home DIR] [--] [BEGINNING]``, KIND being one of KINDS.

    All of it is printable. The shells quote what they insert.
    """
    kind, arguments = "".join(arguments[:1]), arguments[1:]
    home = None
    if arguments[:1] == ["--home"]:
        home, arguments = "".join(arguments[1:2]), arguments[2:]
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    beginning = "".join(arguments[:1])
    found = KINDS.get(kind)
    if found is None:
        return
    try:
        for value, about in found(_Store(_database_path(home)), beginning):
            if _can_be_offered(value):
                sys.stdout.write(f"{value}\t{_shown(about)}\n")
    except sqlite.Error:
        return


class _Store:
    """The database, opened when it is first asked."""

    def __init__(self, path: str) -> None:
        self._path = path

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        connection = sqlite.connect(f"file:{_quoted(self._path)}?mode=ro", uri=True, timeout=1.0)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()


def _jobs(store: _Store, beginning: str) -> Iterator[Candidate]:
    """The newest jobs whose number or name begins so."""
    for number, name, state in store.rows("SELECT id, name, state FROM jobs ORDER BY id DESC LIMIT ?", LIMIT):
        name = name if isinstance(name, str) else ""  # bytes stand there only in a damaged row
        if str(number).startswith(beginning) or name.startswith(beginning):
            yield str(number), f"{name} ({state})"


def _items(store: _Store, beginning: str) -> Iterator[Candidate]:
    """Jobs, and after the point the items that are likely to be asked for: those that run or failed."""
    job, point, item = beginning.partition(".")
    if not point or not (job.isascii() and job.isdigit() and len(job) < 19):
        yield from _jobs(store, beginning)
        return
    # One query for each state, for each has an index of its own.
    for state, word in _ITEM_STATES.items():
        rows = store.rows(f"SELECT item FROM items WHERE job = ? AND state = {state} LIMIT ?", int(job), LIMIT)  # noqa: S608
        for (number,) in rows:
            if str(number).startswith(item):
                yield f"{job}.{number}", word


def _queues(store: _Store, beginning: str) -> Iterator[Candidate]:
    """Queues that have a row of their own or that jobs were put into lately."""
    recent = "SELECT queue FROM (SELECT queue FROM jobs ORDER BY id DESC LIMIT 1000)"
    for (name,) in store.rows(f"SELECT name FROM queues UNION {recent} UNION SELECT 'default' ORDER BY 1"):  # noqa: S608
        if isinstance(name, str) and name.startswith(beginning):
            yield name, "queue"


def _recipes(_store: _Store, beginning: str) -> Iterator[Candidate]:
    """Recipes of the configuration; a file that is not as it should be has none."""
    from jobctl.errors import JobctlError
    from jobctl.services.settings.recipes import load_recipes

    try:
        recipes = load_recipes(os.environ, os.getcwd())
    except (JobctlError, OSError):
        return
    for recipe in recipes.values():
        if recipe.name.startswith(beginning):
            yield recipe.name, recipe.summary


KINDS = {"jobs": _jobs, "items": _items, "queues": _queues, "recipes": _recipes}


def _can_be_offered(value: str) -> bool:
    """Not what breaks the lines that shells read, acts on a terminal, or would be taken for an option."""
    return value.isprintable() and not value.startswith("-")


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _database_path(home: str | None) -> str:
    """The database that ``config.find_home`` would choose, found without its imports on Linux."""
    chosen = home or os.environ.get("JOBCTL_HOME")
    if not chosen and sys.platform == "linux":
        state = os.environ.get("XDG_STATE_HOME", "").strip() or os.path.expanduser("~/.local/state")
        chosen = os.path.join(state, "jobctl")
    if not chosen:
        from jobctl.config import find_home

        return str(find_home().database)
    return os.path.join(os.path.expanduser(chosen), "jobctl.db")
