"""Turns errors of SQLite into problems that a person can solve."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from jobctl.domain.wording import size
from jobctl.errors import Busy, JobctlError, StoreError
from jobctl.process import space
from jobctl.store import sqlite
from jobctl.store.opening.backup import repair_hint


class _Trouble(NamedTuple):
    """An error, recognised by words in it."""

    words: tuple[str, ...]
    message: str
    hint: str


_FAILING = _Trouble(
    ("disk i/o error",),
    "the disk fails under the database at {home}: {why}",
    "look at the system log; keep a copy of the directory before anything else",
)
_DAMAGED = _Trouble(
    ("malformed", "not a database", "corrupt"),
    "the database at {home} is damaged",
    "",  # see backup.repair_hint
)
_FULL = _Trouble(
    ("disk is full",),
    "there is no room left for the database at {home}: {why}",
    "make room on that file system, then try again; accepted jobs are safe",
)
_LIMITED = _Trouble(
    (),
    "the database at {home} cannot grow: the limit on the size of files (ulimit -f) is {why}",
    "raise it with ulimit -f unlimited, then start jobctl again; accepted jobs are safe",
)
#: The least size of SQLite's shared memory.
_SHARED_MEMORY = 32 << 10
_NEXT_WRITE = 8 << 20
_KNOWN = (
    _FULL,
    _UNWRITABLE := _Trouble(
        ("readonly", "unable to open"),
        "the database at {home} cannot be written: {why}",
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
    """The problem behind an error of the database; None for any other error, and for one that a person cannot solve."""
    if not isinstance(error, sqlite.Error):
        return None
    if sqlite.is_busy(error):
        return Busy(f"other commands keep the database at {home} busy", hint="try again in a moment")
    text = str(error).lower()
    for trouble in _KNOWN:
        if any(word in text for word in trouble.words):
            trouble, why = _by_evidence(trouble, home)
            hint = repair_hint(Path(home)) if trouble is _DAMAGED else trouble.hint
            message = trouble.message.format(home=home, why=why).removesuffix(": ")
            return StoreError(message, hint=hint, details=(f"SQLite says: {error}",))
    return None


def _by_evidence(trouble: _Trouble, home: str) -> tuple[_Trouble, str]:
    """The problem and its reason after a look at the disk: SQLite calls many things an I/O error."""
    if trouble not in (_FULL, _FAILING, _UNWRITABLE):
        return trouble, ""
    if limit := file_limit(home):
        return _LIMITED, limit
    why = space.write_problem(home)
    if trouble is not _FULL and space.shortage(home):
        return _FULL, why or space.shortage(home)
    if trouble is not _FULL and "quota" in why:
        return _FULL, why
    if trouble is _FAILING and "read-only" in why:
        return _UNWRITABLE, why
    return trouble, why or (space.free_text(home) if trouble is _FULL else "")


def file_limit(home: str) -> str:
    """The limit of this process on the size of files, if a write may have failed because of it; otherwise empty."""
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit == resource.RLIM_INFINITY:
        return ""
    grown = max(_size(f"{home}/jobctl.db"), _size(f"{home}/jobctl.db-wal"), _SHARED_MEMORY)
    return size(limit) if grown + _NEXT_WRITE > limit else ""


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
