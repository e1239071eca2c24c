"""Reads and writes facts about the store as a whole: one value for each key."""

from __future__ import annotations

from jobctl.store.database import Database


def value(database: Database, key: str) -> str | None:
    """The value under a key; None without one."""
    found = database.scalar("SELECT value FROM meta WHERE key = ?", (key,))
    return None if found is None else str(found)


def put(database: Database, key: str, text: str) -> None:
    """Store a value in place of the one before, in the caller's transaction."""
    database.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, text))


def put_if_new(database: Database, key: str, text: str) -> None:
    """Store a value unless the key has one, in the caller's transaction."""
    database.execute("INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)", (key, text))


def remove(database: Database, key: str) -> None:
    """Remove a value, in the caller's transaction."""
    database.execute("DELETE FROM meta WHERE key = ?", (key,))


def store_id(database: Database) -> str:
    """The random id of this store, which no other store has."""
    return str(database.scalar("SELECT value FROM meta WHERE key = 'store_id'"))


def epoch(database: Database) -> int:
    """The number of the engine that may write. Every engine that takes the store over increases it."""
    return int(database.scalar("SELECT value FROM meta WHERE key = 'epoch'"))


def begin_epoch(database: Database) -> int:
    """Bar every engine before this one from writing; returns the number of this one. In the caller's transaction."""
    new = epoch(database) + 1
    database.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (str(new),))
    return new


def executor(database: Database) -> str:
    """The identity of the executor that attempts were handed to last; empty in a new store."""
    return value(database, "executor") or ""


def starts_file(database: Database) -> str | None:
    """The name of the ring in which the supervisor of that executor notes its starts; None if it is not known."""
    return value(database, "starts")


def remember_executor(database: Database, identity: str, starts: str) -> None:
    """Store the executor that gets attempts from now on, and the ring ``starts`` of its supervisor."""
    put(database, "executor", identity)
    put(database, "starts", starts)


def cluster_name(database: Database, if_new: str) -> str:
    """The name by which clusters know this store. The first name is kept for good."""
    with database.transaction():
        put_if_new(database, "cluster_name", if_new)
    return str(value(database, "cluster_name"))
