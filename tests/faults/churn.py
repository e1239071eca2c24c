"""``python -m tests.faults.churn ARM DIRECTORY SECONDS``: two writers and checkpointers on one database, then a look.

Arms: ``stdlib`` and ``pysqlite3`` open the database as jobctl does, with one checkpointer as its engine is one;
``control`` uses the standard library with automatic checkpoints and two checkpointers, which SQLite 3.7 to 3.51.2
does not survive, and ``control-pysqlite3`` does the same with the library that jobctl brings along. In all of them
checkpointers are held where that does harm, if anything does. Prints the answer of integrity_check, and on stderr how
often each of them did its part.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.faults.stepper import GoneError, Stepped, works

_OURS = ("writer", "writer", "checkpointer")
_CARELESS = ("writer", "writer", "passive", "passive")
#: The number of steps after which our connections are closed and opened again, as commands do.
_AS_LONG_AS_A_COMMAND = 40
#: How often the instructions are listed again after one that was not reached.
_ANOTHER_PATH = 0.1


def main() -> int:
    """Parent: start the roles. Child (four words): play one."""
    arm, place, seconds = sys.argv[1:4]
    if arm == "stdlib":
        sys.modules["pysqlite3"] = None  # type: ignore[assignment]
    missing = "" if works() else "only Linux on x86-64 can be stepped here"
    if arm.endswith("pysqlite3") and find_spec("pysqlite3") is None:
        missing = "no pysqlite3 here"
    if missing:
        print(missing, file=sys.stderr)
        return 77
    if len(sys.argv) > 4:
        return _play(sys.argv[4], arm, Path(place), time.monotonic() + float(seconds))
    first = _connect(arm, Path(place))
    first.execute("CREATE TABLE churn (id INTEGER PRIMARY KEY, word BLOB, body BLOB)")
    first.execute("CREATE INDEX churn_word ON churn (word)")
    roles = _CARELESS if arm.startswith("control") else _OURS
    players = [subprocess.Popen([sys.executable, "-m", "tests.faults.churn", *sys.argv[1:], role]) for role in roles]
    held = _disturb(players[2:], time.monotonic() + float(seconds))
    for player in players:
        player.wait()
    if not held:
        print("no process can be held here", file=sys.stderr)
        return 77
    print(f"held {held}", file=sys.stderr)
    print(_verdict(arm, Path(place)))
    return 0


def _disturb(checkpointers: list[subprocess.Popen[bytes]], until: float) -> int:
    """Hold one of them for a moment, again and again, between two instructions of a checkpoint that just began; how
    often."""
    paths: dict[int, list[int]] = {}
    held = 0
    while time.monotonic() < until:
        with contextlib.suppress(GoneError), Stepped(random.choice(checkpointers).pid) as one:
            if not one.run_to_checkpoint_lock():
                continue
            if one.pid not in paths:
                paths[one.pid] = one.path()
            elif one.run_to(random.choice(paths[one.pid])):
                held += 1
                time.sleep(random.uniform(0.0005, 0.005))
            elif random.random() < _ANOTHER_PATH:
                del paths[one.pid]
    return held


def _connect(arm: str, place: Path) -> Any:
    if arm.startswith("control"):
        sqlite3 = import_module("pysqlite3.dbapi2" if arm.endswith("pysqlite3") else "sqlite3")
        connection = sqlite3.connect(place / "churn.db", timeout=10, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA wal_autocheckpoint=1")
        connection.execute("PRAGMA synchronous=OFF")
        return connection
    from jobctl.config import Home
    from jobctl.store.opening.open import open_database

    connection = open_database(Home(place / "home"), create=True).connection
    connection.execute("PRAGMA synchronous=OFF")  # more commits, more chances
    return connection


def _play(role: str, arm: str, place: Path, until: float) -> int:
    connection = _connect(arm, place)
    number = 0
    while time.monotonic() < until:
        number += 1
        try:
            if not arm.startswith("control") and number % _AS_LONG_AS_A_COMMAND == 0:
                connection.close()  # the last connection that closes also checkpoints
                connection = _connect(arm, place)
            _act(role, connection, number)
        except Exception as error:
            if "locked" not in str(error) and "busy" not in str(error):
                break  # corrupt already: the verdict says so
    print(f"{role} {number}", file=sys.stderr)
    return 0


def _act(role: str, connection: Any, number: int) -> None:
    if role == "writer":
        _write(connection, number)
    elif role == "passive":
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    else:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        time.sleep(0.001)


def _write(connection: Any, number: int) -> None:
    """Mostly small transactions, sometimes one that makes the WAL long, and then time to get all of it backfilled;
    pages all over the file, so that one that is lost is not soon written again."""
    is_long = number % 6 == 0
    connection.execute("BEGIN IMMEDIATE")
    for _ in range(150 if is_long else 1):
        connection.execute("INSERT INTO churn (word, body) VALUES (?, ?)", (os.urandom(12), os.urandom(200)))
    connection.execute("COMMIT")
    if is_long:
        time.sleep(0.005)


def _verdict(arm: str, place: Path) -> str:
    try:
        return str(_connect(arm, place).execute("PRAGMA integrity_check").fetchone()[0])
    except Exception as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main())
