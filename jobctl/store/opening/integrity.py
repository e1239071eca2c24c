"""Checks that the database file is sound. An engine checks that at its start if the engine before was killed."""

from __future__ import annotations

from jobctl.errors import StoreError
from jobctl.store import meta, sqlite
from jobctl.store.database import Database
from jobctl.store.opening import backup, layout
from jobctl.store.schema import SCHEMA_VERSION

#: A larger file is not read through at a start (it would take more than a second or two); ``doctor`` does it.
CHECK_UP_TO = 256 << 20


def begin(database: Database) -> None:
    """Mark the database as open by an engine; check it first if the engine before was killed.

    Raises StoreError that says how to repair it, and then has changed nothing.
    """
    if meta.value(database, "open") == "1":
        _check(database)
    _mark(database, "1")
    if not layout.is_noted(database.connection, SCHEMA_VERSION):  # as after a VACUUM; opening compared it
        with database.transaction():
            layout.note(database.connection)


def end(database: Database) -> None:
    """Mark the database as closed by its engine: all that the engine did is in the file."""
    _mark(database, "0")


def _mark(database: Database, value: str) -> None:
    with database.transaction():
        meta.put(database, "open", value)


def findings(database: Database) -> list[str]:
    """The faults that a reading of the whole file finds, in SQLite's words; empty if it is sound."""
    try:
        return sqlite.quick_check(database.execute)
    except sqlite.DatabaseError as error:
        return [str(error)]


def _check(database: Database) -> None:
    pages = int(database.scalar("PRAGMA page_count")) * int(database.scalar("PRAGMA page_size"))
    if pages > CHECK_UP_TO:
        return
    found = findings(database)
    if found:
        raise damaged(database, found)


def damaged(database: Database, found: list[str]) -> StoreError:
    """The error of a damaged database: the faults, and how to continue."""
    return StoreError(
        f"the database {database.path} is damaged: {found[0]}",
        hint=backup.repair_hint(database.path.parent),
        details=tuple(f"SQLite says: {line}" for line in found),
    )
