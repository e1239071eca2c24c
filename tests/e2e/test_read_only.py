"""A store that can only be read: commands that look answer, those that write say that it cannot be written."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests.e2e.conftest import Cli
from tests.wait import wait_until

LOOKING = (
    ("status",),
    ("status", "1"),
    ("status", "1", "--json"),
    ("items", "1"),
    ("logs", "1"),
    ("explain", "1"),
    ("results", "1"),
    ("verify", "1"),
    ("wait", "1"),
    ("report", "1", "-o", "-"),
    ("export", "1", "--joblog"),
    ("metrics",),
    ("queue", "list"),
    ("notify", "list"),
    ("daemon", "status"),
)
WRITING = (
    ("submit", "rows.txt", "--", "true"),
    ("run", "rows.txt", "--", "true"),
    ("retry", "1"),
    ("queue", "set", "mail", "slots=2"),
    ("pause", "--queue", "default"),
    ("daemon", "start"),
    ("daemon", "run"),
    ("daemon", "run", "--drain"),
    ("prune", "--older-than", "0s"),
)


@pytest.fixture
def read_only(tmp_path):
    """A store with one job that is done, on a file system that is then mounted read-only."""
    if os.geteuid():
        pytest.skip("only root can mount a file system")
    where = tmp_path / "disk"
    where.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs", where], capture_output=True)
    if made.returncode:
        pytest.skip("no file system can be mounted here")
    work = tmp_path / "work"
    work.mkdir()
    cli = Cli(where / "home", work)
    cli.file("rows.txt", "1\n2\n")
    cli("run", "rows.txt", "--", "sh", "-c", "echo out; [ $1 = 1 ]", "sh", "{}", check=3)

    def freeze():
        subprocess.run(["mount", "-o", "remount,ro", where], check=True)

    yield cli, freeze
    subprocess.run(["umount", "-l", where], check=True)


def test_commands_that_look_answer(read_only):
    cli, freeze = read_only
    freeze()
    for words in LOOKING:
        done = cli(*words, check=None)
        assert "Traceback" not in done.stderr and "bug in jobctl" not in done.stderr, (words, done.stderr)
        assert done.returncode == (3 if words[0] == "wait" else 0), (words, done)
    assert json.loads(cli("status", "1", "--json").stdout)["counts"]["succeeded"] == 1
    assert "read-only" not in cli("status").stderr


def test_commands_that_write_say_that_it_is_read_only(read_only):
    cli, freeze = read_only
    freeze()
    for words in WRITING:
        done = cli(*words, check=None)
        assert "Traceback" not in done.stderr and "bug in jobctl" not in done.stderr, (words, done.stderr)
        assert done.returncode in (1, 75), (words, done)
        assert "read-only" in done.stderr.lower(), (words, done.stderr)
    doctor = cli("doctor", check=None)
    assert "Traceback" not in doctor.stderr


def test_a_daemon_whose_disk_becomes_read_only_ends_when_told(read_only):
    cli, _ = read_only
    cli("daemon", "start", "--slots", "1")
    cli.submit("rows.txt", "--", "sh", "-c", "while [ ! -e go ]; do sleep 0.05; done")
    wait_until(lambda: cli.document(2)["counts"]["running"], 60, "an item to run")
    busy = subprocess.run(["mount", "-o", "remount,ro", cli.home.root.parent], capture_output=True)
    (cli.work / "go").touch()
    if busy.returncode:
        pytest.skip("the kernel does not let a file system become read-only under its writers")
    cli("daemon", "stop", "--timeout", "40s", timeout=60)
    assert cli.daemon_pid() is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write whatever the mode is")
def test_a_store_without_the_right_to_write_can_be_read(cli):
    cli.file("rows.txt", "1\n")
    cli("run", "rows.txt", "--", "echo", "{}")
    places = [cli.home.root, *cli.home.root.rglob("*")]
    modes = {path: path.stat().st_mode for path in places}
    for path in places:
        path.chmod(modes[path] & 0o555)
    try:
        for words in LOOKING[:9]:
            assert cli(*words, check=None).returncode == 0, words
        refused = cli("submit", "rows.txt", "--", "true", check=1)
        assert "cannot be written" in refused.stderr or "Permission denied" in refused.stderr
    finally:
        for path in reversed(places):
            path.chmod(modes[path])
