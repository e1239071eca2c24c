"""Bringing an older database up to the schema of this jobctl: forward only, one step a transaction, a copy before."""

from __future__ import annotations

import os
import sys
import time
from importlib import resources
from pathlib import Path

from jobctl.errors import OlderDaemon, StoreError
from jobctl.process import lock
from jobctl.store import backup, sqlite
from jobctl.store.database import Database


def steps() -> dict[int, str]:
    """Version -> the SQL that leads to it from the one before: the files ``migrations/0002.sql`` and so on."""
    place = resources.files("jobctl.store").joinpath("migrations")
    if not place.is_dir():
        return {}
    files = [entry for entry in place.iterdir() if entry.name.endswith(".sql")]
    return {int(entry.name.removesuffix(".sql")): entry.read_text(encoding="utf-8") for entry in files}


def upgrade(database: Database, target: int, lock_holder: int | None = None) -> Path:
    """Migrate while no daemon runs, or the one that holds the lock does it for us; returns the copy made before.

    Raises OlderDaemon when a daemon (an older one: ours would have migrated) holds the store, StoreError when there
    is no way from that version. A step that fails or is killed leaves the version before it.
    """
    try:
        held = lock.take(str(database.path.with_name("daemon.lock")))
    except lock.HeldError as other:
        if other.pid == lock_holder:
            return _upgrade(database, target)
        raise OlderDaemon(
            f"the database has an older schema, and process {other.pid} works on it: a daemon of an older jobctl",
            hint="let it finish what runs, then go on with this one: jobctl daemon stop && jobctl daemon start",
        ) from other
    try:
        return _upgrade(database, target)
    finally:
        os.close(held)


def _upgrade(database: Database, target: int) -> Path:
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
                hint=f"it is as it was; a copy from before is {copy}; go on with the jobctl you had",
            ) from error
        _tell(f"schema {step} of {target} is done")
    return copy


def _tell(text: str) -> None:
    """Once in the life of a release, and it may take minutes: said from here rather than passed up through all."""
    sys.stderr.write(f"jobctl: {text}\n")


def _version(database: Database) -> int:
    return int(database.scalar("PRAGMA user_version"))


def _apply(database: Database, step: int, script: str) -> None:
    with database.transaction():
        if _version(database) >= step:
            return
        for statement in statements(script):
            database.execute(statement)
        database.execute(f"PRAGMA user_version={step}")


def statements(script: str) -> list[str]:
    """The statements of a script, triggers in one piece."""
    found, current = [], ""
    for part in script.split(";"):
        current += f"{part};"
        if sqlite.complete_statement(current):
            found.append(current.strip())
            current = ""
    return [statement for statement in found if statement != ";"]
