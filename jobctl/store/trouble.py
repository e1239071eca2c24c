"""What SQLite complains about, as problems that a person can do something about."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from jobctl.errors import Busy, JobctlError, StoreError
from jobctl.process import space
from jobctl.store import sqlite
from jobctl.store.backup import recipe


class _Trouble(NamedTuple):
    """A complaint, known by words in it."""

    words: tuple[str, ...]
    message: str
    hint: str


_FAILING = _Trouble(
    ("disk i/o error",),
    "the disk fails under the database at {home}",
    "look at the system log; keep a copy of the directory before anything else",
)
_DAMAGED = _Trouble(
    ("malformed", "not a database", "corrupt"),
    "the database at {home} is damaged",
    "",  # see backup.recipe
)
_FULL = _Trouble(
    ("disk is full",),
    "there is no room left for the database at {home}",
    "make room, then try again; what was accepted is safe",
)
_KNOWN = (
    _FULL,
    _Trouble(
        ("readonly", "unable to open"),
        "the database at {home} cannot be written",
        "look at its owner and mode, and whether its disk is mounted read-only",
    ),
    _FAILING,
    _DAMAGED,
    _Trouble(
        ("no such column", "no column named", "no such table"),
        "the database at {home} has another layout than this jobctl",
        "the versions do not fit together: stop the daemon, upgrade, start it again",
    ),
)


def explain(error: BaseException, home: str) -> JobctlError | None:
    """The problem behind an error of the database; None if it is something else, or nothing anybody can help."""
    if not isinstance(error, sqlite.Error):
        return None
    text = str(error).lower()
    if "locked" in text or "busy" in text:
        return Busy(f"other commands keep the database at {home} busy", hint="try again in a moment")
    for trouble in _KNOWN:
        if any(word in text for word in trouble.words):
            if trouble is _FAILING and space.shortage(home):
                trouble = _FULL
            hint = recipe(Path(home)) if trouble is _DAMAGED else trouble.hint
            return StoreError(trouble.message.format(home=home), hint=hint, details=(f"SQLite says: {error}",))
    return None
