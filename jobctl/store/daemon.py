"""The daemon's row: what it last said about itself."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

from jobctl.store.database import Database


@dataclass(frozen=True, slots=True)
class Row:
    """The daemon as of its last heartbeat."""

    pid: int
    engine_pid: int
    state: str
    scope: str
    slots: int
    version: str
    started_at: int
    heartbeat_at: int
    pressure: str


_NAMES = [f.name for f in fields(Row)]


def load(database: Database) -> Row | None:
    """The last heartbeat; None when no daemon ever ran here."""
    row = database.one(f"SELECT {', '.join(_NAMES)} FROM daemon")  # noqa: S608 - names of this module
    return None if row is None else Row(*row)


def save(database: Database, row: Row) -> None:
    """Write a heartbeat. It need not survive a power cut, so it costs no flush."""
    marks = ", ".join("?" * len(_NAMES))
    database.execute("PRAGMA synchronous=NORMAL")
    try:
        with database.transaction():
            database.execute(
                f"INSERT OR REPLACE INTO daemon (id, {', '.join(_NAMES)}) VALUES (1, {marks})",  # noqa: S608
                astuple(row),
            )
    finally:
        database.execute("PRAGMA synchronous=FULL")
