"""Opens the database. Every connection of jobctl to a store is made here.

Each connection uses WAL without automatic checkpoints (two checkpointers can corrupt the file on SQLite before 3.51.3),
and nothing is read from a file before it is known to be a plain file of ours with a schema of ours.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from jobctl.config import Home
from jobctl.errors import Busy, StoreError
from jobctl.process.private import is_plain
from jobctl.store import sqlite
from jobctl.store.database import Database
from jobctl.store.opening import layout
from jobctl.store.opening.folder import check_home, no_queue, prepare_folders, prepare_home, refuse_network
from jobctl.store.schema import SCHEMA_VERSION

#: One wait inside SQLite; after it, a jittered pause and another try.
BUSY_TIMEOUT_MS = 5_000
JOURNAL_SIZE_LIMIT = 64 << 20


def open_database(
    home: Home, *, create: bool = False, lock_holder: int | None = None, any_thread: bool = False
) -> Database:
    """Open the store of a home for reading and writing.

    With ``create`` a missing home or database is made (mode 0700/0600 whatever the umask). An older database is
    migrated, which takes the daemon lock; ``lock_holder`` is a process that holds it on our behalf. With
    ``any_thread``, all threads may use the connection, one at a time, as their caller ensures. Raises NotFound
    without a store, OlderDaemon if it cannot be migrated now, StoreError for a file that is damaged, foreign or
    newer than this program, HomeError for a home that cannot be trusted.
    """
    is_there = os.path.lexists(home.root)
    if is_there and not all(os.path.lexists(f"{home.database}{suffix}") for suffix in ("", "-wal", "-shm")):
        from jobctl.store.opening import removed  # only where no daemon is up, as a rule

        removed.refuse(home)
    if create:
        refuse_network(home)
        prepare_home(home)
    check_home(home)
    if not create and not home.database.exists():
        raise no_queue(home.root)
    if create:
        _precreate(home.database)
    database = _connect(home.database, create=create, lock_holder=lock_holder, any_thread=any_thread)
    if create:
        prepare_folders(home)
    return database


def check_place(home: Home) -> None:
    """Raise the errors that ``open_database`` would raise for the place of a new store; makes nothing.

    A pipe can be read only once, so a place that cannot be used must be found before its rows are read.
    """
    refuse_network(home)
    if os.path.lexists(home.root):
        check_home(home)


def _precreate(path: Path) -> None:
    """Make the file 0600 before SQLite opens it; never through a symlink."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return
    os.fchmod(descriptor, 0o600)
    os.close(descriptor)


def _connect(path: Path, *, create: bool, lock_holder: int | None, any_thread: bool) -> Database:
    _check_files(path)
    # SQLite gives -wal and -shm the mode of the database, whatever the umask is.
    connection = sqlite.connect(
        path,
        timeout=BUSY_TIMEOUT_MS / 1000,
        isolation_level=None,
        cached_statements=256,
        check_same_thread=not any_thread,
    )
    database = Database(connection, path)
    try:
        _configure(database, create=create, lock_holder=lock_holder)
    except sqlite.DatabaseError as error:
        _close_untouched(connection, path)
        readable = None if create or not _is_unwritable(error) else _for_reading(path)
        if readable is None:
            raise _unusable(path, error) from error
        return readable
    except BaseException:
        _close_untouched(connection, path)
        raise
    return database


def _is_unwritable(error: sqlite.DatabaseError) -> bool:
    return isinstance(error, sqlite.OperationalError) and not sqlite.is_busy(error)


def _for_reading(path: Path) -> Database | None:
    """A connection for commands that only read, where SQLite cannot write to the folder; None if that fails, too."""
    from jobctl.store.opening import readonly

    try:
        connection = readonly.connect(path)
    except sqlite.DatabaseError:
        return None
    database = Database(connection, path)
    try:
        version = _look_at(database)
    except sqlite.DatabaseError:
        connection.close()
        return None
    except BaseException:
        connection.close()
        raise
    if version == SCHEMA_VERSION:
        return database
    connection.close()
    return None


def _look_at(database: Database) -> int:
    """Check that the file is ours and whole, before anything of it is used; returns the version of its schema."""
    database.execute("PRAGMA trusted_schema=OFF")
    database.execute("PRAGMA cell_size_check=ON")
    version = layout.check_identity(database)
    if sqlite.is_cut_off(database.path, database.scalar("PRAGMA page_size")):
        raise sqlite.DatabaseError(sqlite.CUT_OFF)
    if version:
        layout.check(database.connection, database.path, version)
    return version


def _check_files(path: Path) -> None:
    """Refuse a database, or a file that SQLite keeps with it, that another user may have planted."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        file = f"{path}{suffix}"
        try:
            info = os.lstat(file)
        except FileNotFoundError:
            if suffix:
                continue
            raise
        if not is_plain(info):
            raise StoreError(f"{file} is not a plain file of yours", hint="move it away, then try again")


def _close_untouched(connection: sqlite.Connection, path: Path) -> None:
    """Close a connection to a file that is not for us, without the checkpoint that the last connection makes.

    A second connection, which cannot write, is open meanwhile, so that this one is not the last.
    """
    wal = path.with_name(f"{path.name}-wal")
    if not wal.exists() or not wal.stat().st_size:
        connection.close()
        return
    with contextlib.ExitStack() as after:
        with contextlib.suppress(sqlite.DatabaseError):
            witness = sqlite.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
            after.callback(witness.close)
            witness.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        connection.close()


def _configure(database: Database, *, create: bool, lock_holder: int | None) -> None:
    execute = database.execute
    execute("PRAGMA wal_autocheckpoint=0")
    version = _look_at(database)
    if version == 0:
        if not create:  # a first submit is about to make the schema, or was killed before
            raise no_queue(database.path.parent)
        # It must come before anything is written. With it ``prune`` gives space back in small steps.
        database.patiently("PRAGMA auto_vacuum=INCREMENTAL")
    mode = database.scalar("PRAGMA journal_mode")
    if mode != "wal":
        # SQLite itself does not wait here for a process that makes or reads the same store.
        (mode,) = database.patiently("PRAGMA journal_mode=WAL")
    if mode != "wal":
        raise StoreError(
            f"{database.path} cannot be used in WAL mode (it is in {mode} mode)",
            hint="put the state directory on a local disk: --home DIR",
        )
    execute("PRAGMA synchronous=FULL")
    execute(f"PRAGMA journal_size_limit={JOURNAL_SIZE_LIMIT}")
    execute("PRAGMA cache_size=-16384")
    execute("PRAGMA temp_store=MEMORY")
    # Deleted rows are overwritten with zeros: ``prune`` promises that nothing can be read back.
    execute("PRAGMA secure_delete=ON").fetchall()
    if version == 0:
        layout.create_schema(database)
    elif version < SCHEMA_VERSION:
        from jobctl.store.opening.migrate import upgrade

        upgrade(database, SCHEMA_VERSION, lock_holder)


def _unusable(path: Path, error: sqlite.DatabaseError) -> StoreError | Busy:
    if isinstance(error, sqlite.OperationalError) and sqlite.is_busy(error):
        return Busy(f"{path} is busy", hint="try again")
    if isinstance(error, sqlite.OperationalError):  # nothing is wrong with the file: no reason to put it away
        from jobctl.store.opening.trouble import explain

        known = explain(error, str(path.parent))
        if isinstance(known, StoreError):
            return known
    from jobctl.store.opening.backup import repair_hint

    return StoreError(f"{path} cannot be read: {error}", hint=repair_hint(path.parent))
