"""Another release takes over: on disk under a running daemon, at the command line, and the way back is refused."""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import signal

import pytest

from jobctl.store import sqlite
from jobctl.store.schema import SCHEMA_VERSION
from tests.stages import few
from tests.upgrade.releases import Release
from tests.wait import wait_until

#: Two items that run until the file ``go`` is there, then many that say that they ran.
ITEM = (
    'echo "start $1" >> witness; case $1 in [12]) while [ ! -e go ]; do sleep 0.05; done;; esac;'
    ' echo "end $1" >> witness'
)
ROWS = 30


@pytest.fixture
def release(tmp_path):
    return Release(tmp_path / "site")


@pytest.fixture
def cli(tmp_path, release):
    work = tmp_path / "work"
    work.mkdir()
    made = release.cli(tmp_path / "home", work)
    yield made
    made.close()


def witnessed(cli, word):
    path = cli.work / "witness"
    lines = path.read_text().splitlines() if path.exists() else []
    return sorted(int(line.split()[1]) for line in lines if line.startswith(word))


def log(cli):
    return cli.home.daemon_log.read_text()


def begin(cli, *options):
    """A daemon with two items that run and others that wait; the number of its supervisor."""
    cli("daemon", "start", "--slots", 2)
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(1, ROWS + 1)))
    cli.submit("rows.txt", *options, "--", "sh", "-c", ITEM, "sh", "{}")
    wait_until(lambda: witnessed(cli, "start") == [1, 2], 60, "two items to run")
    return cli.daemon_pid()


def kill_engine(cli):
    os.kill(cli.engine_pid(), signal.SIGKILL)


@pytest.mark.parametrize("change", few(["wire", "schema"], ["schema"]))
def test_an_upgrade_under_a_running_daemon_drains_it_and_the_new_one_takes_over(cli, release, change):
    supervisor = begin(cli, "--on-crash", "fail")
    release.call_itself("9.9.9")
    if change == "wire":
        release.speak_another_wire()
    else:
        release.take_another_schema(SCHEMA_VERSION + 1)
    kill_engine(cli)
    wait_until(lambda: "jobctl was upgraded under this daemon" in log(cli), 60, "the upgrade to be noticed")
    if change == "wire":
        status = cli.status(1)
        assert status["daemon"]["state"] == "draining"
    else:
        refused = cli("status", check=75)
        assert "daemon of an older jobctl" in refused.stderr and "jobctl daemon stop" in refused.stderr
    assert witnessed(cli, "start") == [1, 2], "nothing starts any more"
    (cli.work / "go").touch()
    cli("wait", 1, check=None)
    wait_until(lambda: cli("wait", 1, check=None).returncode == 0, 60, "the job to end")
    assert witnessed(cli, "start") == list(range(1, ROWS + 1)), "each item began once"
    assert witnessed(cli, "end") == list(range(1, ROWS + 1))
    assert cli("verify", 1).returncode == 0
    document = cli("daemon", "status")
    assert cli.daemon_pid() == supervisor and "9.9.9" in document.stdout


@pytest.mark.slow
def test_a_stop_while_it_drains_keeps_the_outcomes_for_the_next_daemon(cli, release):
    begin(cli, "--on-crash", "fail")
    release.speak_another_wire()
    kill_engine(cli)
    wait_until(lambda: "jobctl was upgraded under this daemon" in log(cli), 60, "the upgrade to be noticed")
    cli("daemon", "stop", "--timeout", "0s", check=75)
    (cli.work / "go").touch()
    wait_until(lambda: cli.daemon_pid() is None, 60, "the end of the daemon")  # a second stop could end the two items
    cli("daemon", "start")
    cli("wait", 1)
    assert witnessed(cli, "start") == list(range(1, ROWS + 1))


def test_an_engine_of_another_release_with_the_same_protocol_just_continues(cli, release):
    supervisor = begin(cli, "--on-crash", "fail")
    release.call_itself("9.9.9")
    first = cli.engine_pid()
    kill_engine(cli)
    wait_until(lambda: cli.engine_pid() != first, 60, "the next engine")
    (cli.work / "go").touch()
    cli("wait", 1)
    assert witnessed(cli, "start") == list(range(1, ROWS + 1))
    assert cli.daemon_pid() == supervisor and "9.9.9" in cli("daemon", "status").stdout


@pytest.mark.slow
def test_a_newer_command_line_leaves_an_older_daemon_alone_until_it_has_stopped(cli, release, tmp_path):
    begin(cli)
    newer = Release(tmp_path / "newer")
    newer.take_another_schema(SCHEMA_VERSION + 1)
    new = newer.cli(cli.home.root, cli.work)
    for words in (("status",), ("submit", "rows.txt", "--", "true"), ("daemon", "start"), ("cancel", "1")):
        refused = new(*words, check=75)
        assert "older jobctl" in refused.stderr and "jobctl daemon stop" in refused.stderr
    (cli.work / "go").touch()
    new("daemon", "stop")
    new("daemon", "start")
    new("wait", 1)
    assert witnessed(cli, "start") == list(range(1, ROWS + 1))
    copies = [path.name for path in (cli.home.root / "backups").iterdir()]
    assert len(copies) == 1 and copies[0].endswith(f"-schema{SCHEMA_VERSION}.db")


def contents(root):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.iterdir()
        if path.is_file() and not path.name.endswith("-shm")
    }


@pytest.mark.parametrize("leftover", few(["nothing", "wal"], ["nothing"]))
def test_an_older_command_line_refuses_a_newer_store_and_changes_no_byte(cli, release, tmp_path, leftover):
    newer = Release(tmp_path / "newer")
    newer.take_another_schema(SCHEMA_VERSION + 1)
    new = newer.cli(cli.home.root, cli.work)
    cli.file("rows.txt", "1\n2\n")
    new.submit("rows.txt", "--", "true")
    if leftover == "wal":  # as after a crash: commits that are nowhere else
        new("daemon", "start")
        with contextlib.closing(sqlite.connect(cli.home.database)) as database:
            engine = os.pidfd_open(database.execute("SELECT engine_pid FROM daemon").fetchone()[0])
        os.kill(new.daemon_pid(), signal.SIGKILL)
        wait_until(lambda: new.daemon_pid() is None, 60, "the daemon to be gone")
        assert select.select([engine], [], [], 60)[0], "the engine writes its last words"
        os.close(engine)
        assert cli.home.database.with_name("jobctl.db-wal").stat().st_size > 0
    before = contents(cli.home.root)
    for words in (
        ("status",),
        ("submit", "rows.txt", "--", "true"),
        ("run", "rows.txt", "--", "true"),
        ("daemon", "start"),
        ("prune",),
    ):
        refused = cli(*words, check=1)
        assert "written by a newer jobctl" in refused.stderr and "upgrade jobctl" in refused.stderr
        assert contents(cli.home.root) == before, words
    new("run", "rows.txt", "--", "true")
