"""T3: prune and the migration to another schema, killed at every system call that changes something."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

from jobctl.store import sqlite
from jobctl.store.schema import SCHEMA_VERSION
from tests.faults.campaign import fault, on_a_rig
from tests.faults.rig import QUICK, Rig
from tests.faults.strace import CHANGING, Point, count_points, killing, spread, strace

_ROWS = 8
_PRUNE = ("prune", "--older-than", "0s", "--include-failed")
#: A release to come, whose schema is one step ahead of ours.
_NEXT_RELEASE = f"""
import sys
from pathlib import Path
from jobctl.config import Home
from jobctl.store.opening import layout, migrate, open as opening
script = "CREATE TABLE later (a INTEGER); INSERT INTO later SELECT id FROM jobs;"
migrate.steps = lambda: {{{SCHEMA_VERSION + 1}: script}}
layout.SCHEMA_VERSION = opening.SCHEMA_VERSION = {SCHEMA_VERSION + 1}
opening.open_database(Home(Path(sys.argv[1]))).close()
"""


def _prune_argv(rig: Rig) -> list[str]:
    return rig.command(*_PRUNE)


def _migrate_argv(rig: Rig) -> list[str]:
    return [sys.executable, "-c", _NEXT_RELEASE, str(rig.home.root)]


def _finished_and_waiting(rig: Rig) -> None:
    """Two jobs that are done, and one that waits."""
    rig.submit(_ROWS, mix=QUICK)
    rig.submit(_ROWS, mix=QUICK)
    rig.start()
    rig.wait_done()
    rig.jobctl("daemon", "stop")
    rig.submit(_ROWS, mix=QUICK)


@cache
def _points(argv_of: Callable[[Rig], list[str]]) -> list[Point]:
    rig = Rig(Random(0))
    try:
        _finished_and_waiting(rig)
        log = rig.place / "strace"
        argv = [*strace("-e", f"trace={CHANGING}", output=str(log)), *argv_of(rig)]
        subprocess.run(argv, cwd=rig.place, env=rig.env, capture_output=True, check=True)
        return count_points(log)
    finally:
        rig.close()


def _crash(rig: Rig, argv_of: Callable[[Rig], list[str]]) -> None:
    points = _points(argv_of)
    _finished_and_waiting(rig)
    argv = [*strace(*killing(points[rig.number % len(points)])), *argv_of(rig)]
    subprocess.run(argv, cwd=rig.place, env=rig.env, capture_output=True)


def _crash_prune(rig: Rig) -> None:
    """A job is there, whole, or gone; what is left of those that are gone goes with the next prune."""
    _crash(rig, _prune_argv)
    there = {job for (job,) in rig.rows("SELECT id FROM jobs")}
    if 3 not in there:
        rig.notes.append("a live job was removed")
    gone = {accepted.job for accepted in rig.accepted} - there
    rig.accepted = [accepted for accepted in rig.accepted if accepted.job in there]
    rig.jobctl("prune", "--older-than", "300d")
    for job in sorted(gone):
        for place in (rig.home.job_results(job), rig.home.logs / str(job)):
            if place.exists():
                rig.notes.append(f"job {job} is gone, but not {sorted(map(str, place.rglob('*')))[:3]}")
    if rig.rows("SELECT * FROM prunings"):
        rig.notes.append("a prune that was killed is not finished by the next one")
    rig.start()
    rig.wait_done()


def _crash_migration(rig: Rig) -> None:
    """The old schema or the new one; a copy from before; the rest of the way is gone by the next command."""
    _crash(rig, _migrate_argv)
    version, later = _look(rig.home.database)
    if (version, later) not in ((SCHEMA_VERSION, None), (SCHEMA_VERSION + 1, 3)):
        rig.notes.append(f"half a migration: schema {version} with {later} rows of the new table")
    if version == SCHEMA_VERSION and rig.jobctl("status").returncode:
        rig.notes.append("the store that was not migrated yet is refused")
    again = subprocess.run(_migrate_argv(rig), cwd=rig.place, env=rig.env, capture_output=True, text=True)
    if again.returncode or _look(rig.home.database) != (SCHEMA_VERSION + 1, 3):
        rig.notes.append(f"the next command does not end the migration: {again.stderr[-300:]}")
    copies = list((rig.home.root / "backups").glob("jobctl-*.db"))
    if not copies or any(_look(copy) != (SCHEMA_VERSION, None) for copy in copies):
        rig.notes.append(f"copies from before the migration: {copies}")
    _back(rig)
    rig.start()
    rig.wait_done()


def _look(path: Path) -> tuple[int, int | None]:
    """Its schema, and rows of the table that the migration makes."""
    connection = sqlite.connect(str(path))
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'later'").fetchone():
            return version, None
        return version, connection.execute("SELECT count(*) FROM later").fetchone()[0]
    finally:
        connection.close()


def _back(rig: Rig) -> None:
    """Take back the step, so that the jobctl under test can use the store: the step only added a table."""
    connection = sqlite.connect(str(rig.home.database))
    connection.execute("DROP TABLE later")
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    connection.commit()
    connection.close()


def _register(name: str, what: str, argv_of: Callable[[Rig], list[str]], hurt: Callable[[Rig], None]) -> None:
    register = fault(f"T3-{name}", f"SIGKILL at a system call of {what}", full=lambda: len(_points(argv_of)), sample=3)
    register(spread(lambda: len(_points(argv_of)), on_a_rig(hurt)))


_register("prune", "prune", _prune_argv, _crash_prune)
_register("migrate", "a migration", _migrate_argv, _crash_migration)
