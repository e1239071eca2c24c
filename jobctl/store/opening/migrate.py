"""Migrates an older database to the schema of this jobctl: forward only, after a copy, a transaction for each step."""

from __future__ import annotations

import random
import sys
import time
from importlib import resources

from jobctl.errors import Busy, OlderDaemon, StoreError
from jobctl.process import lock
from jobctl.store import sqlite
from jobctl.store.database import BUSY_DEADLINE_S, Database
from jobctl.store.opening import backup, layout
from jobctl.store.schema import SCHEMA_VERSION


def steps() -> dict[int, str]:
    """Version -> the SQL that leads to it from the one before: the files ``migrations/0002.sql`` and so on."""
    place = resources.files("jobctl.store").joinpath("migrations")
    if not place.is_dir():
        return {}
    files = [entry for entry in place.iterdir() if entry.name.endswith(".sql")]
    return {int(entry.name.removesuffix(".sql")): entry.read_text(encoding="utf-8") for entry in files}


def upgrade(database: Database, target: int, lock_holder: int | None = None) -> None:
    """Make a copy and migrate. No daemon may run, unless ``lock_holder`` is the process that holds the lock for us.

    If several commands find the older schema, one of them migrates and the others wait for it. Raises OlderDaemon
    if a daemon (an older one: ours would have migrated) has the store, Busy if another command keeps it for
    BUSY_DEADLINE_S, StoreError if no step begins at that version. A step that fails or is killed leaves the
    version before it.
    """
    deadline = time.monotonic() + BUSY_DEADLINE_S
    while _version(database) < target:
        try:
            held = lock.take_for_a_while(str(database.path.with_name("daemon.lock")))
        except lock.HeldError as other:
            if other.pid == lock_holder:
                _upgrade(database, target)
                return
            if other.is_daemon or time.monotonic() > deadline:
                raise _in_the_way(other) from other
            time.sleep(random.uniform(0.001, 0.05))  # noqa: S311 - jitter between commands, not a secret
            continue
        try:
            if _version(database) < target:
                _upgrade(database, target)
        finally:
            lock.release(held)


def _in_the_way(other: lock.HeldError) -> Busy:
    if other.is_daemon:
        return OlderDaemon(
            f"the database has an older schema, and process {other.pid} works on it: a daemon of an older jobctl",
            hint="let it finish the running items, then start this one: jobctl daemon stop && jobctl daemon start",
        )
    return Busy(
        f"the database has an older schema, and process {other.pid} kept the store for {BUSY_DEADLINE_S:.0f} s",
        hint="wait for it to end, then try again",
    )


def _upgrade(database: Database, target: int) -> None:
    known, version = steps(), _version(database)
    missing = [step for step in range(version + 1, target + 1) if step not in known]
    if missing:
        raise StoreError(
            f"{database.path} has schema {version}, and this jobctl does not know the way to {target}",
            hint="upgrade by way of an older release; nothing was changed",
        )
    _tell(f"bringing {database.path} from schema {version} to {target}; a copy is made first")
    copy = backup.make(database, time.time_ns() // 1000, word=f"-schema{version}")
    for step in range(version + 1, target + 1):
        try:
            _apply(database, step, known[step])
        except sqlite.Error as error:
            raise StoreError(
                f"{database.path} could not be brought to schema {step}: {error}",
                hint=f"it was not changed; there is a copy at {copy}; continue with the jobctl that you had",
            ) from error
        _tell(f"schema {step} of {target} is done")


def _tell(text: str) -> None:
    """Write to the terminal, because a migration may take minutes. It happens once in the life of a release."""
    sys.stderr.write(f"jobctl: {text}\n")


def _version(database: Database) -> int:
    return int(database.scalar("PRAGMA user_version"))


def _apply(database: Database, step: int, script: str) -> None:
    with database.transaction():
        if _version(database) >= step:
            return
        for statement in () if _is_there(database, step) else statements(script):
            database.execute(statement)
        database.execute(f"PRAGMA user_version={step}")
        _check_outcome(database)


def _is_there(database: Database, step: int) -> bool:
    """True if the tables are already those of this jobctl, and only the number of the schema is older."""
    connection = database.connection
    is_ours = step <= SCHEMA_VERSION and layout.is_of(connection, SCHEMA_VERSION)
    return is_ours and not layout.is_of(connection, step - 1)


def _check_outcome(database: Database) -> None:
    """A step that does not lead to the layout of its number must not be committed."""
    wrong = layout.differences(database.connection)
    if wrong:
        raise sqlite.DatabaseError(f"the migration leads to another layout: {wrong[0]}")
    if _version(database) == SCHEMA_VERSION:
        layout.note(database.connection)


def statements(script: str) -> list[str]:
    """The statements of a script, triggers in one piece."""
    found, current = [], ""
    for part in script.split(";"):
        current += f"{part};"
        if sqlite.complete_statement(current):
            found.append(current.strip())
            current = ""
    return [statement for statement in found if statement != ";"]
