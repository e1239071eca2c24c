"""Answers to shell completion: a key is being held down, so nothing is imported that is not needed.

Nothing at all is said when something is wrong.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from jobctl.store import sqlite
from jobctl.store.views import candidates

LIMIT = 50

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
        for value, about in found(_database_path(home), beginning):
            if _can_be_offered(value):
                sys.stdout.write(f"{value}\t{_shown(about)}\n")
    except sqlite.Error:
        return


def _jobs(path: str, beginning: str) -> Iterator[Candidate]:
    """The newest jobs whose number or name begins so."""
    for number, name, state in candidates.jobs(path, LIMIT):
        if str(number).startswith(beginning) or name.startswith(beginning):
            yield str(number), f"{name} ({state})"


def _items(path: str, beginning: str) -> Iterator[Candidate]:
    """Jobs, and after the point the items that are likely to be asked for."""
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
    """Whether a value breaks no line that a shell reads, has no effect on a terminal and is not taken for an option."""
    return value.isprintable() and not value.startswith("-")


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)


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
