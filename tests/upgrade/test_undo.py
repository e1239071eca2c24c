"""Rows of jobs from a release that knew no undo, and undo jobs while a daemon of an older release has the store."""

from __future__ import annotations

import contextlib
import shlex

import pytest

from jobctl.store import sqlite
from jobctl.store.schema import SCHEMA_VERSION
from tests.store.test_layout import ddl_of, make_database
from tests.upgrade.releases import Release
from tests.upgrade.test_upgrade import ROWS, begin, cli, release, witnessed
from tests.wait import wait_until

__all__ = ["cli", "release"]

pytestmark = pytest.mark.slow

#: The schema of the last release that could not take rows back.
BEFORE = 2
WORK = ("sh", "-c", "[ $1 != 3 ]", "sh", "{}")
UNDO = "sh -c 'echo \"$1 $JOBCTL_UNDO_OF\" >> undone' sh {}"


def undone(cli):
    path = cli.work / "undone"
    return sorted(path.read_text().splitlines()) if path.exists() else []


def take_back_to_the_schema_before(home):
    """The same store in a database with the tables of that release."""
    older = home.database.with_suffix(".older")
    make_database(older, ddl_of(f"schema{BEFORE}"), version=BEFORE)
    with contextlib.closing(sqlite.connect(older, isolation_level=None)) as database:
        database.execute("ATTACH ? AS now", (str(home.database),))
        for (table,) in database.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'").fetchall():
            names = ", ".join(column[1] for column in database.execute(f"PRAGMA main.table_info({table})").fetchall())
            database.execute(f"INSERT OR REPLACE INTO main.{table} ({names}) SELECT {names} FROM now.{table}")
        database.execute("DETACH now")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert database.execute("PRAGMA user_version").fetchone() == (BEFORE,)
    for suffix in ("-wal", "-shm"):
        home.database.with_name(f"{home.database.name}{suffix}").unlink(missing_ok=True)
    older.rename(home.database)


def test_a_job_of_the_release_before_is_taken_back(cli):
    cli.file("rows.txt", "1\n2\n3\n4\n")
    cli("run", "rows.txt", "--", *WORK, check=3)
    take_back_to_the_schema_before(cli.home)
    refused = cli("undo", 1, check=2)
    assert f"from schema {BEFORE} to {SCHEMA_VERSION}" in refused.stderr
    assert "it was submitted without --undo" in refused.stderr and "jobctl undo 1 -- COMMAND" in refused.stderr
    cli("daemon", "start")
    cli("wait", int(cli("undo", 1, "--", *shlex.split(UNDO)).stdout))
    assert undone(cli) == ["1 1.1", "2 1.2", "4 1.4"]
    cli("wait", 1, check=3)  # a job of that release runs again, and its rows that were taken back do so when asked to
    cli("retry", 1, "--undone")
    cli("wait", 1, check=3)
    assert cli.status(1)["undo"]["undone"] == 0
    cli("verify", 1)


def test_undo_waits_until_an_older_daemon_has_stopped_and_nothing_is_lost(cli, tmp_path):
    cli.file("few.txt", "1\n2\n3\n4\n")
    cli("run", "few.txt", "--undo", UNDO, "--", *WORK, check=3)
    begin(cli)
    newer = Release(tmp_path / "newer")
    newer.take_another_schema(SCHEMA_VERSION + 1)
    new = newer.cli(cli.home.root, cli.work)
    submit = ("submit", "few.txt", "--undo", UNDO, "--undo-on-failure", "--", *WORK)
    for words in (("undo", "1"), submit, ("retry", "1", "--undone")):
        refused = new(*words, check=75)
        assert "older jobctl" in refused.stderr and "jobctl daemon stop && jobctl daemon start" in refused.stderr
    assert undone(cli) == [] and len(cli.rows("SELECT id FROM jobs")) == 2
    (cli.work / "go").touch()
    new("daemon", "stop")
    new("daemon", "start")
    new("wait", 2)
    assert witnessed(cli, "end") == list(range(1, ROWS + 1))
    new("wait", int(new("undo", 1).stdout))
    assert undone(cli) == ["1 1.1", "2 1.2", "4 1.4"]
    job = int(new(*submit).stdout)
    new("wait", job, check=3)
    wait_until(lambda: len(undone(cli)) == 6, 60, "its rows to be taken back")
    assert undone(cli)[1::2] == [f"{row} {job}.{row}" for row in (1, 2, 4)]
