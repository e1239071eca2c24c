"""Examines a database file without changing it: no migration, no repair."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from jobctl.process import space
from jobctl.process.private import is_plain
from jobctl.store import sqlite
from jobctl.store.opening import layout, readonly
from jobctl.store.schema import APPLICATION_ID, SCHEMA_VERSION


class FileState(NamedTuple):
    """The kind of a file, and its faults."""

    kind: str  # missing | empty | ours | older | newer | unknown | foreign | planted | damaged | displaced | unreadable
    version: int = 0  # of the schema
    findings: tuple[str, ...] = ()  # its faults, in SQLite's words

    @property
    def is_usable(self) -> bool:
        """True if this jobctl can work with it as it is."""
        return self.kind == "ours"


def file_state(path: Path, *, read_through: bool = True) -> FileState:
    """Examine the file at the path of the database; ``read_through`` reads all of it."""
    try:
        info = path.lstat()
    except FileNotFoundError:
        return FileState("missing")
    except OSError as error:
        return FileState("planted", findings=(f"it cannot be examined: {error.strerror}",))
    if not is_plain(info):
        return FileState("planted", findings=("it is not a plain file of yours",))
    try:
        return _read(path, read_through)  # a -shm that SQLite makes has the mode of the database
    except sqlite.Error as error:
        return _unread(path, error, read_through)


def _unread(path: Path, error: sqlite.Error, read_through: bool) -> FileState:
    """A file that could not be read counts as damaged, unless its disk is full or read-only."""
    why = space.write_problem(path.parent) if isinstance(error, sqlite.OperationalError) else ""
    if not why:
        return FileState("damaged", findings=(str(error),))
    try:
        return _read(path, read_through, readonly.connect(path))
    except sqlite.Error:
        return FileState("unreadable", findings=(f"{error}: {why}",))


def _read(path: Path, read_through: bool, connection: sqlite.Connection | None = None) -> FileState:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = connection or sqlite.connect(uri, uri=True, isolation_level=None, timeout=5.0)
    try:
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")
        version, application, objects, strange = layout.identity(connection)
        if application != APPLICATION_ID:
            return FileState("foreign" if application or version or objects else "empty", version)
        if not version and not objects:
            return FileState("empty")
        if strange:
            return FileState(
                "planted", version, ("it has triggers, views or virtual tables, which jobctl never makes",)
            )
        found = sqlite.quick_check(connection.execute) if read_through else []
        if sqlite.is_cut_off(path, connection.execute("PRAGMA page_size").fetchone()[0]):
            found.insert(0, sqlite.CUT_OFF)
        differences = [] if found else layout.differences(connection)
    finally:
        connection.close()
    if found:
        return FileState("damaged", version, tuple(found))
    if differences:
        return FileState("unknown", version, tuple(differences))
    if version == SCHEMA_VERSION:
        return FileState("ours", version)
    return FileState("newer" if version > SCHEMA_VERSION else "older", version)
