"""The lock or files of the database are removed or replaced under a daemon: nothing runs twice, nothing is lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys

import pytest

from jobctl.process import displaced, lock
from jobctl.services.doctor import doctor
from jobctl.store import sqlite
from tests.stages import few
from tests.wait import wait_until

ROWS = 6
ITEM = 'echo "start $1" >> witness; while [ ! -e go ]; do sleep 0.05; done; echo "end $1" >> witness'


def witnessed(cli, word):
    path = cli.work / "witness"
    lines = path.read_text().splitlines() if path.exists() else []
    return sorted(int(line.split()[1]) for line in lines if line.startswith(word))


@pytest.fixture
def busy(cli):
    """A daemon with two items that run and others that wait."""
    cli("daemon", "start", "--slots", 2)
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(1, ROWS + 1)))
    assert cli.submit("rows.txt", "--", "sh", "-c", ITEM, "sh", "{}") == 1
    wait_until(lambda: witnessed(cli, "start") == [1, 2], 60, "two items to run")
    return cli


def replace_with_copy(path):
    copy = path.with_name("copy")
    shutil.copyfile(path, copy)
    copy.chmod(0o600)
    copy.rename(path)


def touch_anew(path):
    path.unlink()
    path.touch(0o600)


def go_on(cli):
    """The next daemon runs everything, each item once."""
    cli("daemon", "start", "--slots", 2)
    cli("wait", 1)
    assert witnessed(cli, "start") == witnessed(cli, "end") == list(range(1, ROWS + 1))
    assert cli("verify", 1).returncode == 0
    assert cli.submit("rows.txt", "--", "true") > 1, "no number is given twice"


@pytest.mark.parametrize("change", few([os.unlink, touch_anew], [touch_anew]), ids=["removed", "replaced"])
def test_without_its_lock_file_a_daemon_is_still_the_only_one(busy, change):
    cli, pid = busy, busy.daemon_pid()
    change(cli.home.lock)
    assert lock.holder(str(cli.home.lock)) == pid == displaced.daemon(str(cli.home.lock))
    for words in (("daemon", "start"), ("daemon", "run"), ("daemon", "run", "--drain")):
        refused = cli(*words, check=75)
        assert str(pid) in refused.stderr and "jobctl daemon stop" in refused.stderr
    with pytest.raises(lock.HeldError) as held:
        lock.take_for_a_while(str(cli.home.lock))
    assert held.value.is_displaced and held.value.is_daemon
    assert cli.submit("rows.txt", "--", "true") == 2
    wait_until(
        lambda: "lock file was removed or replaced" in cli.home.daemon_log.read_text(), 60, "the change to be noticed"
    )
    assert witnessed(cli, "start") == [1, 2]
    (cli.work / "go").touch()
    wait_until(lambda: cli.daemon_pid() is None, 60, "the daemon to end by itself")
    go_on(cli)


def test_a_supervisor_that_gets_the_lock_of_another_file_leaves_the_first_alone(busy):
    """Past the checks of the command line, as when the file goes between them and the lock."""
    cli, pid = busy, busy.daemon_pid()
    cli.home.lock.unlink()
    code = (
        "import sys; from pathlib import Path; from jobctl.config import Home;"
        " from jobctl.process.daemon import start_detached;"
        " from jobctl.process.start_options import StartOptions;"
        " start_detached(StartOptions(Home(Path(sys.argv[1])), 1))"
    )
    done = subprocess.run([sys.executable, "-c", code, cli.home.root], capture_output=True, text=True, timeout=60)
    assert f"process {pid} is the daemon of this store" in done.stderr
    (cli.work / "go").touch()
    wait_until(lambda: witnessed(cli, "end")[:2] == [1, 2], 60, "its items to end in peace")


FILES = {
    "log": ["jobctl.db-wal"],
    "log and shared memory": ["jobctl.db-wal", "jobctl.db-shm"],
    "shared memory": ["jobctl.db-shm"],
    "database": ["jobctl.db"],
    "all three": ["jobctl.db", "jobctl.db-wal", "jobctl.db-shm"],
}


@pytest.mark.parametrize("names", few(FILES.values(), [FILES["all three"]]), ids=FILES)
def test_files_of_the_database_that_are_removed_are_noticed_and_saved(busy, names):
    cli = busy
    for name in names:
        (cli.home.root / name).unlink()
    for words in (("submit", "rows.txt", "--", "true"), ("status",), ("daemon", "start")):
        refused = cli(*words, check=None)
        assert refused.stdout.strip() != "1", "no number is given twice"
        if words[0] == "submit" and "jobctl.db" in names:
            assert refused.returncode == 1 and "removed" in refused.stderr
    wait_until(lambda: "removed or replaced" in cli.home.daemon_log.read_text(), 60, "the change to be noticed")
    (cli.work / "go").touch()
    wait_until(lambda: cli.daemon_pid() is None, 60, "the daemon to end by itself")
    assert witnessed(cli, "end") == [1, 2], "what ran has finished"
    if "jobctl.db" in names:
        refused = cli("status", check=1)
        assert "doctor" in refused.stderr
        assert "doctor --restore" in cli("doctor", check=1).stdout
        cli("doctor", "--restore")
    go_on(cli)


def test_a_database_that_is_replaced_ends_the_engine(busy):
    cli = busy
    replace_with_copy(cli.home.database)
    wait_until(lambda: "removed or replaced" in cli.home.daemon_log.read_text(), 60, "the change to be noticed")
    (cli.work / "go").touch()
    wait_until(lambda: cli.daemon_pid() is None, 60, "the daemon to end by itself")
    assert witnessed(cli, "end") == [1, 2]
    assert "doctor --restore" in cli("doctor").stdout
    cli("doctor", "--restore")
    go_on(cli)


def test_doctor_opens_nothing_while_such_a_daemon_runs(busy):
    cli = busy
    (cli.home.root / "jobctl.db-wal").unlink()
    found = doctor.examine(cli.home, now=1, program="jobctl", slots=1)
    (finding,) = (check for check in found.document()["checks"] if check["name"] == "database")
    if finding["level"] != "ok":  # the daemon may have been quicker
        assert "removed or replaced" in finding["message"]
    assert not (cli.home.root / "jobctl.db-wal").exists() or cli.daemon_pid() is None


def test_numbers_of_jobs_whose_database_is_gone_are_not_given_again(cli):
    cli.file("rows.txt", "1\n")
    for _ in range(3):
        cli("run", "rows.txt", "--", "echo", "{}")
    for name in ("jobctl.db", "jobctl.db-wal", "jobctl.db-shm"):
        (cli.home.root / name).unlink(missing_ok=True)
    refused = cli("status", check=1)
    assert "is gone" in refused.stderr and "jobctl doctor" in refused.stderr
    said = cli("doctor", check=1).stdout
    assert "is gone, but there are files of 3 jobs" in said
    assert cli.submit("rows.txt", "--", "true") == 4


def test_a_log_of_another_database_is_not_believed(cli, tmp_path):
    cli.file("rows.txt", "1\n")
    cli("run", "rows.txt", "--", "true")
    other = tmp_path / "other.db"
    with contextlib.closing(sqlite.connect(other, isolation_level=None)) as foreign:
        foreign.execute("PRAGMA journal_mode=WAL")
        foreign.execute("CREATE TABLE x (y)")
        shutil.copyfile(f"{other}-wal", cli.home.root / "jobctl.db-wal")
    (cli.home.root / "jobctl.db-wal").chmod(0o600)
    done = cli("status", "1", check=None)
    assert "Traceback" not in done.stderr and done.returncode in (0, 1)
    if done.returncode:
        assert "doctor" in done.stderr or "not a jobctl database" in done.stderr
