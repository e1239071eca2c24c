"""Makes the tables and columns of a database, and compares existing ones with its version of the schema.

Builds of jobctl that were never released used one number for several layouts. A database of one of them opens, and
then every statement fails on a missing column. So each database is compared with the layout of its number
before anything of it is used. The comparison of all columns takes 0.3 ms, thus its result is kept in the table
``meta`` with SQLite's own count of changes of the schema, and holds for as long as that count does not change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jobctl.errors import StoreError
from jobctl.store.schema import APPLICATION_ID, LAYOUTS, SCHEMA_VERSION, stored

if TYPE_CHECKING:
    from pathlib import Path

    from jobctl.store.database import Database
    from jobctl.store.sqlite import Connection

_COLUMNS = (
    "SELECT (SELECT user_version FROM pragma_user_version), m.name, p.name"
    " FROM sqlite_schema m JOIN pragma_table_info(m.name) p"
    " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY m.name, p.name"
)
_NOTED = (
    "SELECT 1 FROM meta WHERE key = 'layout' AND value = (SELECT schema_version FROM pragma_schema_version) || ' ' || ?"
)
_NOTE = (
    "INSERT OR REPLACE INTO meta (key, value) SELECT 'layout', schema_version || ' ' || ? FROM pragma_schema_version"
)
_MOST_NAMED = 3
_IDENTITY = (
    "SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id),"
    " count(*), coalesce(sum(type NOT IN ('table', 'index') OR sql LIKE 'create virtual%'), 0) FROM sqlite_schema"
)


class Identity(NamedTuple):
    """The version and the kind that a database file states."""

    version: int  # of the schema; 0 in an empty file
    application: int
    objects: int  # tables, indexes and all else
    strange: int  # of them, triggers, views and virtual tables, which jobctl never makes


def identity(connection: Connection) -> Identity:
    """Read the identity with one statement, because another process may be making the schema."""
    return Identity._make(connection.execute(_IDENTITY).fetchone())


def check_identity(database: Database) -> int:
    """The schema version; 0 for an empty file. Raises StoreError for a foreign or newer database."""
    version, application, objects, strange = identity(database.connection)
    if application == APPLICATION_ID:
        if strange:
            raise StoreError(
                f"{database.path} has triggers, views or virtual tables, which jobctl never makes: it is not trusted",
                hint="see where the file comes from; nothing was changed",
            )
        if version == 0 and objects:  # the tables and the number are made in one transaction
            raise StoreError(
                unknown_layout(f"{database.path}", 0, ["there is no schema of that number"]),
                hint=unknown_layout_hint(database.path.parent),
            )
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{database.path} was written by a newer jobctl (schema {version}, this one knows {SCHEMA_VERSION})",
                hint="upgrade jobctl; nothing was changed",
            )
        return int(version)
    if application != 0 or version != 0 or objects:
        raise StoreError(
            f"{database.path} is not a jobctl database",
            hint="move it away or choose another --home; nothing was changed",
        )
    return 0


def is_noted(connection: Connection, version: int) -> bool:
    """True if the columns were compared already and nothing has changed the schema since."""
    from jobctl.store import sqlite

    try:
        return connection.execute(_NOTED, (LAYOUTS.get(version, ""),)).fetchone() is not None
    except sqlite.OperationalError:  # the table meta is missing
        return False


def note(connection: Connection) -> None:
    """Write down that the columns are those of this jobctl. Only in a transaction, and only after a comparison."""
    connection.execute(_NOTE, (LAYOUTS.get(SCHEMA_VERSION, ""),))


def create_schema(database: Database) -> None:
    """Create every table in one transaction. It does nothing if another process was faster."""
    import uuid

    from jobctl.store.opening.folder import jobs_with_files

    with database.transaction():
        if database.scalar("PRAGMA user_version"):
            return
        for statement in stored().split(";\n"):
            if statement.strip():
                database.execute(statement)
        database.execute("INSERT INTO meta (key, value) VALUES ('store_id', ?), ('epoch', '0')", (uuid.uuid4().hex,))
        # If the database was lost, files of its jobs may still be there: their numbers must not go to other jobs.
        jobs = jobs_with_files(database.path.parent)
        if jobs:
            database.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('jobs', ?)", (jobs[-1],))
        note(database.connection)
        database.execute(f"PRAGMA application_id={APPLICATION_ID}")
        database.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def differences(connection: Connection) -> list[str]:
    """The differences from the schema of that number, in words; empty if the layout is known."""
    version, found = _columns(connection)
    known = LAYOUTS.get(version)
    if known is None:
        return ["there is no schema of that number"] if version < SCHEMA_VERSION else []
    current = fingerprint(found)
    if current == known or (version < SCHEMA_VERSION and current == LAYOUTS[SCHEMA_VERSION]):
        return []  # only the number may be older: then a migration has only to set it
    return _in_words(found) if version == SCHEMA_VERSION else [f"its tables are not those of schema {version}"]


def check(connection: Connection, path: Path, version: int) -> None:
    """Raise StoreError, having changed nothing, when the layout is not the one of that version."""
    if is_noted(connection, version):
        return
    found = differences(connection)
    if found:
        raise StoreError(unknown_layout(f"{path}", version, found), hint=unknown_layout_hint(path.parent))


def unknown_layout(what: str, version: int, found: list[str]) -> str:
    """The sentence about an unknown layout."""
    named = "; ".join(found[:_MOST_NAMED]) + ("; ..." if len(found) > _MOST_NAMED else "")
    return f"{what} has an unknown layout: it says schema {version}, but {named}; no release of jobctl made it"


def unknown_layout_hint(root: Path) -> str:
    """The hint for a store that was made by an unreleased jobctl."""
    return (
        "nothing was changed; use the jobctl that made it, or a new store: --home DIR;"
        f" its result files are in {root / 'results'}"
    )


def is_of(connection: Connection, version: int) -> bool:
    """True if the columns are those of a version, whatever number the database carries."""
    return fingerprint(_columns(connection)[1]) == LAYOUTS.get(version)


def fingerprint(columns: dict[str, list[str]]) -> str:
    """A short hash that identifies a layout."""
    from hashlib import sha256

    text = "\n".join(f"{table} {' '.join(names)}" for table, names in sorted(columns.items()))
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def of_this_version() -> dict[str, list[str]]:
    """The tables and columns that ``schema.sql`` makes."""
    from jobctl.store import sqlite

    connection = sqlite.connect(":memory:")
    try:
        connection.executescript(stored())
        return _columns(connection)[1]
    finally:
        connection.close()


def _columns(connection: Connection) -> tuple[int, dict[str, list[str]]]:
    """The version and the columns of each table, read by one statement: another process may migrate meanwhile."""
    rows = connection.execute(_COLUMNS).fetchall()
    if not rows:  # without tables there is no row to carry the number
        return connection.execute("PRAGMA user_version").fetchone()[0], {}
    found: dict[str, list[str]] = {}
    for _, table, column in rows:
        found.setdefault(table, []).append(column)
    return rows[0][0], found


def _in_words(found: dict[str, list[str]]) -> list[str]:
    known, words = of_this_version(), []
    words += [f"the table {table} is missing" for table in sorted(known.keys() - found.keys())]
    words += [f"the table {table} is not known" for table in sorted(found.keys() - known.keys())]
    for table in sorted(known.keys() & found.keys()):
        words += [f"{table} lacks {name}" for name in known[table] if name not in found[table]]
        words += [f"{table} has {name}" for name in found[table] if name not in known[table]]
    return words
