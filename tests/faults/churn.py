"""``python -m tests.faults.churn ARM DIRECTORY SECONDS``: two writers and checkpointers on one database, then a look.

Arms: ``stdlib`` and ``pysqlite3`` open the database as jobctl does, with one checkpointer as its engine is one;
``control`` uses the standard library with automatic checkpoints and two checkpointers, which SQLite 3.7 to 3.51.2
does not survive. Prints the answer of integrity_check, and on stderr how often each of them did its part.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_ROLES = {
    "stdlib": ("writer", "writer", "checkpointer"),
    "pysqlite3": ("writer", "writer", "checkpointer"),
    "control": ("writer", "writer", "passive", "passive"),
}
#: Our connections are closed and opened again after so many steps, as those of commands are.
_AS_LONG_AS_A_COMMAND = 40


def main() -> int:
    """Parent: start the roles. Child (four words): play one."""
    arm, place, seconds = sys.argv[1:4]
    if arm == "stdlib":
        sys.modules["pysqlite3"] = None  # type: ignore[assignment]
    elif arm == "pysqlite3":
        try:
            import pysqlite3  # noqa: F401
        except ImportError:
            print("no pysqlite3 here", file=sys.stderr)
            return 77
    if len(sys.argv) > 4:
        return _play(sys.argv[4], arm, Path(place), time.monotonic() + float(seconds))
    first = _connect(arm, Path(place))
    first.execute("CREATE TABLE churn (id INTEGER PRIMARY KEY, word BLOB, body BLOB)")
    first.execute("CREATE INDEX churn_word ON churn (word)")
    players = [
        subprocess.Popen([sys.executable, "-m", "tests.faults.churn", *sys.argv[1:], role]) for role in _ROLES[arm]
    ]
    _jolt(players[2:], time.monotonic() + float(seconds))
    for player in players:
        player.wait()
    print(_verdict(arm, Path(place)))
    return 0


def _jolt(checkpointers: list[subprocess.Popen[bytes]], until: float) -> None:
    """Stop one of them for a moment, again and again: it may be in the few instructions where that does harm."""
    while time.monotonic() < until:
        one = random.choice(checkpointers)
        one.send_signal(signal.SIGSTOP)
        time.sleep(random.uniform(0.0, 0.0015))
        one.send_signal(signal.SIGCONT)
        time.sleep(0.0005)


def _connect(arm: str, place: Path) -> Any:
    if arm == "control":
        connection = sqlite3.connect(place / "churn.db", timeout=10, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA wal_autocheckpoint=1")
        connection.execute("PRAGMA synchronous=OFF")
        return connection
    from jobctl.config import Home
    from jobctl.store.database import open_database

    connection = open_database(Home(place / "home"), create=True).connection
    connection.execute("PRAGMA synchronous=OFF")  # more commits, more chances
    return connection


def _play(role: str, arm: str, place: Path, until: float) -> int:
    connection = _connect(arm, place)
    number = 0
    while time.monotonic() < until:
        number += 1
        try:
            if arm != "control" and number % _AS_LONG_AS_A_COMMAND == 0:
                connection.close()  # whoever is the last to do so checkpoints, too
                connection = _connect(arm, place)
            _act(role, connection, number)
        except Exception as error:
            if "locked" not in str(error) and "busy" not in str(error):
                return 0  # corrupt already: the verdict says so
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
    """Mostly small transactions, sometimes one that makes the WAL long; pages all over the file, so that one that is
    lost is not soon written again."""
    connection.execute("BEGIN IMMEDIATE")
    for _ in range(150 if number % 6 == 0 else 1):
        connection.execute("INSERT INTO churn (word, body) VALUES (?, ?)", (os.urandom(12), os.urandom(200)))
    connection.execute("COMMIT")


def _verdict(arm: str, place: Path) -> str:
    try:
        return str(_connect(arm, place).execute("PRAGMA integrity_check").fetchone()[0])
    except Exception as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    sys.exit(main())
