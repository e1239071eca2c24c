"""``jobctl __complete``: print the values that a shell offers. It runs at each press of a key, so it imports little.

An error prints nothing, because a message would appear in the middle of the line that a person types.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from jobctl.store import sqlite
from jobctl.store.views import candidates

#: The most values that are offered.
LIMIT = 50

Candidate = tuple[str, str]  # (value, description)


def complete(arguments: list[str]) -> None:
    """Print ``VALUE<TAB>DESCRIPTION`` for the arguments ``KIND [--home DIR] [--] [BEGINNING]``; see ``KINDS``.

    All characters are printable. The shells quote the value that they insert.
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
        for value, about in found(_database_path(home), beginning):
            if _can_be_offered(value):
                sys.stdout.write(f"{value}\t{_shown(about)}\n")
    except sqlite.Error:
        return


def _jobs(path: str, beginning: str) -> Iterator[Candidate]:
    """The newest jobs whose number or name begins with this text."""
    for number, name, state in candidates.jobs(path, LIMIT):
        if str(number).startswith(beginning) or name.startswith(beginning):
            yield str(number), f"{name} ({state})"


def _items(path: str, beginning: str) -> Iterator[Candidate]:
    """Jobs; after a point, the items of the job that a person is likely to want."""
    job, point, item = beginning.partition(".")
    if not point or not (job.isascii() and job.isdigit() and len(job) < 19):
        yield from _jobs(path, beginning)
        return
    for number, state in candidates.items(path, int(job), LIMIT):
        if str(number).startswith(item):
            yield f"{job}.{number}", state


def _queues(path: str, beginning: str) -> Iterator[Candidate]:
    for name in candidates.queues(path):
        if name.startswith(beginning):
            yield name, "queue"


def _recipes(_path: str, beginning: str) -> Iterator[Candidate]:
    """The recipes that can be used here; none if a file of settings has mistakes."""
    from jobctl.errors import JobctlError
    from jobctl.services.settings.recipes import load_recipes

    try:
        recipes = load_recipes(os.environ, os.getcwd())
    except (JobctlError, OSError):
        return
    for recipe in recipes.values():
        if recipe.name.startswith(beginning):
            yield recipe.name, recipe.summary


#: The kinds of values, by the word with which the scripts of the shells ask for them.
KINDS = {"jobs": _jobs, "items": _items, "queues": _queues, "recipes": _recipes}


def _can_be_offered(value: str) -> bool:
    """Return whether a value is safe to offer: on one line, without control characters, and not like an option."""
    return value.isprintable() and not value.startswith("-")


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


def _database_path(home: str | None) -> str:
    """Return the path of the database that ``config.find_home`` chooses; on Linux without its imports."""
    chosen = home or os.environ.get("JOBCTL_HOME")
    if not chosen and sys.platform == "linux":
        state = os.environ.get("XDG_STATE_HOME", "").strip() or os.path.expanduser("~/.local/state")
        chosen = os.path.join(state, "jobctl")
    if not chosen:
        from jobctl.config import find_home

        return str(find_home().database)
    return os.path.join(os.path.expanduser(chosen), "jobctl.db")
