"""Opening the database and transactions on it. Every connection of jobctl is made here.

Rules that hold for each of them: WAL without automatic checkpoints (two checkpointers can corrupt the file on
SQLite before 3.51.3), writes begin IMMEDIATE and wait their turn, nothing is read from a schema that is not ours,
and no connection crosses a fork.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jobctl.config import Home
from jobctl.errors import Busy, StoreError
from jobctl.process.private import is_plain
from jobctl.store import sqlite
from jobctl.store.opening import layout
from jobctl.store.opening.folder import check_home, no_queue, prepare_folders, prepare_home, refuse_network
from jobctl.store.schema import APPLICATION_ID, SCHEMA_VERSION

#: How long a command waits for its turn to write before it gives up with a message.
BUSY_DEADLINE_S = 60.0
#: One wait inside SQLite; after it, a jittered pause and another try.
BUSY_TIMEOUT_MS = 5_000
JOURNAL_SIZE_LIMIT = 64 << 20
#: What a transaction raises that may work another time: no room, an I/O error, somebody who does not let go.
UNWRITABLE = (sqlite.OperationalError, Busy)


class Database:
    """One connection, owned by the process that opened it."""

    def __init__(self, connection: sqlite.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path
        self.execute = connection.execute
        self.executemany = connection.executemany
        self._pid = os.getpid()
        self._file = os.stat(path) if path.name else None  # None: in memory
        self._parts: dict[str, os.stat_result] = {}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN IMMEDIATE ... COMMIT, rolled back on any exception. The commit survives a power cut.

        Raises Busy when other writers kept the database for BUSY_DEADLINE_S.
        """
        if os.getpid() != self._pid:
            raise StoreError("a database connection was carried across a fork")
        self.patiently("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.execute("ROLLBACK")
            raise

    def patiently(self, sql: str) -> Any:
        """The first row of a statement that needs the database for itself, as soon as others let go.

        Raises Busy when they did not within BUSY_DEADLINE_S.
        """
        deadline = time.monotonic() + BUSY_DEADLINE_S
        while True:
            try:
                return self.execute(sql).fetchone()
            except sqlite.OperationalError as error:
                if not _is_busy(error):
                    raise
                if time.monotonic() > deadline:
                    raise Busy(
                        f"other commands kept the database busy for {BUSY_DEADLINE_S:.0f} s",
                        hint="try again; `jobctl doctor` names what holds it",
                    ) from error
                import random  # a command that does not have to wait starts without it

                time.sleep(random.uniform(0.001, 0.05))  # noqa: S311 - jitter between writers, not a secret

    def one(self, sql: str, parameters: Any = ()) -> Any:
        """The first row, or None."""
        return self.execute(sql, parameters).fetchone()

    def scalar(self, sql: str, parameters: Any = ()) -> Any:
        """The first column of the first row, or None."""
        row = self.execute(sql, parameters).fetchone()
        return None if row is None else row[0]

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open on this connection."""
        return self.connection.in_transaction

    def data_version(self) -> int:
        """A number that changes when another connection commits. It means nothing to any other connection."""
        return int(self.execute("PRAGMA data_version").fetchone()[0])

    def is_in_place(self) -> bool:
        """Whether its file is still where it was opened: not removed, and no other one there."""
        try:
            return self._file is None or os.path.samestat(os.stat(self.path), self._file)
        except FileNotFoundError:
            return False
        except OSError:  # a disk that fails is not one that was removed
            return True

    def watch_files(self) -> None:
        """Remember which files this connection has open, for ``displaced``; it must have read something already."""
        self._parts = {f"{self.path}{suffix}": os.stat(f"{self.path}{suffix}") for suffix in ("", "-wal", "-shm")}

    def displaced(self) -> str:
        """The first of the watched files that was removed, or in whose place is another one; empty if there is none."""
        for name, known in self._parts.items():
            try:
                if not os.path.samestat(os.stat(name), known):
                    return os.path.basename(name)
            except FileNotFoundError:
                return os.path.basename(name)
            except OSError:  # a disk that fails is not one that was removed
                continue
        return ""

    def checkpoint(self) -> bool:
        """Move the WAL into the database file and empty it. Only for the holder of the daemon lock.

        False when a reader was in the way: then some of it is left.
        """
        (busy, *_) = self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def open_database(home: Home, *, create: bool = False, lock_holder: int | None = None) -> Database:
    """Open the store of a home for reading and writing.

    With ``create`` a missing home or database is made (mode 0700/0600 whatever the umask). An older database is
    migrated, which takes the daemon lock; ``lock_holder`` is a process that holds it on our behalf. Raises NotFound
    when there is none, OlderDaemon when it cannot be migrated now, StoreError for a file that is damaged, foreign or
    newer than this program, HomeError for a home that cannot be trusted.
    """
    if not all(os.path.lexists(f"{home.database}{suffix}") for suffix in ("", "-wal", "-shm")):
        from jobctl.store.opening import removed  # normally no daemon is up then

        removed.refuse(home)
        removed.refuse_beside_copy(home)
    if create:
        refuse_network(home)
        prepare_home(home)
    check_home(home)
    if not create and not home.database.exists():
        raise no_queue(home.root)
    if create:
        _precreate(home.database)
    database = _connect(home.database, create=create, lock_holder=lock_holder)
    if create:
        prepare_folders(home)
    return database


def check_place(home: Home) -> None:
    """Raise what ``open_database`` would raise of a place where a store is to be made; makes nothing.

    A pipe is read once: it must not be found out only afterwards that there is no place for its rows.
    """
    refuse_network(home)
    if os.path.lexists(home.root):
        check_home(home)


def scratch_database() -> Database:
    """One without tables that nobody else sees and that is gone when it is closed."""
    return Database(sqlite.connect("", isolation_level=None), Path())


def _precreate(path: Path) -> None:
    """Make the file 0600 before SQLite opens it; never through a symlink."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return
    os.fchmod(descriptor, 0o600)
    os.close(descriptor)


def _connect(path: Path, *, create: bool, lock_holder: int | None) -> Database:
    _check_files(path)
    previous = os.umask(0o077)  # for -wal and -shm
    try:
        connection = sqlite.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, cached_statements=256)
        database = Database(connection, path)
        try:
            _configure(database, create=create, lock_holder=lock_holder)
        except sqlite.DatabaseError as error:
            _close_untouched(connection, path)
            readable = None if create or not _is_unwritable(error) else _for_reading(path)
            if readable is None:
                raise _unusable(path, error) from error
            database = readable
        except BaseException:
            _close_untouched(connection, path)
            raise
    finally:
        os.umask(previous)
    return database


def _is_unwritable(error: sqlite.DatabaseError) -> bool:
    return isinstance(error, sqlite.OperationalError) and not _is_busy(error)


def _for_reading(path: Path) -> Database | None:
    """A connection for commands that only look, where SQLite cannot write beside the file; None if it cannot be."""
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
    """Look whether the file is ours and whole, before anything of it is used; returns its version."""
    database.execute("PRAGMA trusted_schema=OFF")
    database.execute("PRAGMA cell_size_check=ON")
    version = _check_identity(database)
    if sqlite.is_cut_off(database.path, database.scalar("PRAGMA page_size")):
        raise sqlite.DatabaseError(sqlite.CUT_OFF)
    if version:
        layout.check(database.connection, database.path, version)
    return version


def _check_files(path: Path) -> None:
    """Neither the database nor a file that SQLite keeps beside it may be planted."""
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
    """Close a connection to a file that is not for us, without the checkpoint that the last one to close makes.

    While another connection is open it is not the last; that one cannot write.
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
        if not create:  # a first submit is about to make it, or was killed before it had
            raise no_queue(database.path.parent)
        # Must come before anything is written. Lets ``prune`` give space back in small steps that nobody waits for.
        database.patiently("PRAGMA auto_vacuum=INCREMENTAL")
    mode = database.scalar("PRAGMA journal_mode")
    if mode != "wal":
        # SQLite does not wait here for another that makes the same store, or that looks at it.
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
    # What is deleted is overwritten with zeros, whoever deletes it: ``prune`` promises that nothing can be read back.
    execute("PRAGMA secure_delete=ON").fetchall()
    if version == 0:
        from jobctl.store.opening.create import create_schema

        create_schema(database)
    elif version < SCHEMA_VERSION:
        from jobctl.store.opening.migrate import upgrade

        upgrade(database, SCHEMA_VERSION, lock_holder)


def _check_identity(database: Database) -> int:
    """The schema version; 0 for an empty file. Raises StoreError for a foreign or newer database."""
    # In one statement: another process may be creating the schema.
    version, application, objects, strange = database.one(
        "SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id),"
        " count(*), sum(type NOT IN ('table', 'index') OR sql LIKE 'create virtual%') FROM sqlite_schema"
    )
    if application == APPLICATION_ID:
        if strange:
            raise StoreError(
                f"{database.path} has triggers, views or virtual tables, which jobctl never makes: it is not trusted",
                hint="see where the file comes from; nothing was changed",
            )
        if version == 0 and objects:  # whoever makes the tables sets the number in the same transaction
            raise StoreError(
                layout.said(f"{database.path}", 0, ["there is no schema of that number"]),
                hint=layout.way_out(database.path.parent),
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


def _unusable(path: Path, error: sqlite.DatabaseError) -> StoreError | Busy:
    if isinstance(error, sqlite.OperationalError) and _is_busy(error):
        return Busy(f"{path} is busy", hint="try again")
    if isinstance(error, sqlite.OperationalError):  # nothing is wrong with the file: no reason to put it away
        from jobctl.store.opening.trouble import explain

        known = explain(error, str(path.parent))
        if isinstance(known, StoreError):
            return known
    from jobctl.store.opening.backup import recipe

    return StoreError(f"{path} cannot be read: {error}", hint=recipe(path.parent))


def _is_busy(error: sqlite.OperationalError) -> bool:
    text = str(error)
    return "locked" in text or "busy" in text
