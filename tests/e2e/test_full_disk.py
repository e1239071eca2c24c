"""A disk that is full, real and small: everything ends when told to, the disk is named first, nothing is lost."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Cli
from tests.stages import few
from tests.wait import wait_until

TERM_S = 40


def mount(where: Path, *options: str) -> None:
    done = subprocess.run(["mount", *options, str(where)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path):
    """A file system of 8 MiB."""
    if os.geteuid():
        pytest.skip("only root can mount a file system")
    where = tmp_path / "disk"
    where.mkdir()
    mount(where, "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)


@pytest.fixture
def cli(tmp_path, disk):
    work = tmp_path / "work"
    work.mkdir()
    made = Cli(disk / "home", work)
    yield made
    made.close()


def fill(disk: Path) -> Path:
    """Not a byte is free."""
    path = disk / "fill"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return path


def gated(cli, rows=6):
    """A file whose rows wait for the file ``go``."""
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(1, rows + 1)))
    return ["sh", "-c", 'echo "$1" >> started; while [ ! -e go ]; do sleep 0.05; done', "sh", "{}"]


def started(cli):
    path = cli.work / "started"
    return len(path.read_text().split()) if path.exists() else 0


@pytest.mark.parametrize("way", few(["run", "daemon"], ["daemon"]))
def test_a_stop_ends_in_time_and_the_next_daemon_continues(cli, disk, way):
    command = gated(cli)
    if way == "run":
        process = cli.start("run", "rows.txt", "-j", "2", "--", *command)
    else:
        cli("daemon", "start", "--slots", "2")
        cli.submit("rows.txt", "--", *command)
    wait_until(lambda: started(cli) == 2, 60, "two items to run")
    full = fill(disk)
    (cli.work / "go").touch()
    if way == "run":
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=TERM_S)
        assert process.returncode == 130
        assert "disk" in err and str(disk) in err and "daemon start" in err
        assert err.index("nearly full") < err.index("daemon start")
    else:
        cli("daemon", "stop", "--timeout", f"{TERM_S}s", timeout=TERM_S + 10)
    assert cli.daemon_pid() is None
    full.unlink()
    cli("daemon", "start")
    cli("wait", 1)
    assert cli("verify", 1).returncode == 0
    assert started(cli) == 6, "what ended on the full disk does not run again"


def test_the_disk_is_named_before_the_daemon(cli, disk):
    command = gated(cli)
    cli.submit("rows.txt", "--", *command)
    fill(disk)
    for words in (("status",), ("status", 1), ("explain", 1), ("wait", 1, "--timeout", "0.1s")):
        said = cli(*words, check=None)
        text = said.stdout + said.stderr
        assert "disk is nearly full" in text, words
        assert str(disk) in text and "free" in text and "prune" in text, words
        if "daemon" in text:
            assert text.index("disk is nearly full") < text.index("daemon start"), words
    attention = json.loads(cli("status", 1, "--json").stdout)["attention"]
    assert [entry["code"] for entry in attention][:2] == ["disk_low", "daemon_down"]
    assert str(disk) in attention[0]["message"]
    holds = json.loads(cli("explain", 1, "--json").stdout)["holds"]
    assert holds[0]["code"] == "disk_low"
    reason = json.loads(cli("status", 1, "--json").stdout)["state_reason"]
    assert "the disk is nearly full" in reason


def test_doctor_and_commands_that_write_blame_the_disk_and_no_file(cli, disk):
    command = gated(cli)
    cli.submit("rows.txt", "--", *command)
    fill(disk)
    said = cli("doctor", check=1).stdout
    assert "damaged" not in said and str(disk) in said
    for words in (("cancel", "1"), ("pause", "1"), ("submit", "rows.txt", "--", "true"), ("daemon", "start")):
        refused = cli(*words, check=1).stderr
        assert "no room left" in refused and str(disk) in refused and "make room" in refused, (words, refused)


@pytest.mark.parametrize("with_daemon", few([False, True], [True]), ids=["no daemon", "daemon"])
@pytest.mark.parametrize("words", few([("1",), ("--older-than", "0s")], [("1",)]), ids=["named", "by age"])
def test_removing_jobs_makes_room_where_not_a_byte_is_free(cli, disk, with_daemon, words):
    """It is what ``status`` and ``doctor`` say to type there."""
    cli.file("rows.txt", "1\n2\n3\n")
    cli("run", "rows.txt", "--shell", "head -c 600000 /dev/zero | tr '\\0' x")
    cli("run", "rows.txt", "--", "true")
    if with_daemon:
        cli("daemon", "start")
        wait_until(lambda: cli.rows("SELECT state FROM daemon")[0][0] == "up", 60, "the engine")
    full = fill(disk)
    cli("prune", *words)
    assert not list((cli.home.root / "logs").glob("1")) and not list((cli.home.root / "results").glob("1"))
    assert cli("status", 1, check=None).returncode == 9
    if "1" in words:
        assert cli("verify", 2).returncode == 0, "the other job is as it was"
        assert (cli.home.root / "results" / "2" / "manifest.json").exists()
    full.unlink()
    assert cli("doctor", check=None).stdout.count("fail") == 0


def wait_recorded(cli, count):
    wait_until(lambda: cli.document(1)["counts"]["failed"] == count, 60, f"{count} failures to be recorded")


ITEMS = {
    "says so": ("echo 'cannot write x: No space left on device' >&2; exit 1", True),
    "errno of Python": ("echo 'OSError: [Errno 28] No space left on device' >&2; exit 1", True),
    "writes nothing": ("exit 3", True),
    "its output has no room": ("seq 100000 || exit 4", True),
    "fails of something else": ("echo 'no such customer' >&2; exit 1", False),
}


@pytest.mark.parametrize("text", few(ITEMS.values(), [*ITEMS.values()][:2]), ids=ITEMS)
def test_an_item_that_died_of_it_has_that_cause(cli, disk, text):
    """The database has room and can record it; logs and results have none."""
    script, is_disk = text
    logs = cli.home.logs
    cli("daemon", "start", "--slots", "1")
    mount(logs, "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs")
    try:
        cli.file("one.txt", "1\n")
        wait = "echo . >> started; while [ ! -e go ]; do sleep 0.05; done"
        cli.submit("one.txt", "--attempts", "1", "--", "sh", "-c", f"{wait}; {script}")
        wait_until(lambda: started(cli), 60, "the item to run")
        path = fill_up_to(logs, 0 if "echo" not in script else 8192)
        (cli.work / "go").touch()
        wait_recorded(cli, 1)
        (document,) = json.loads(cli("items", 1, "--json", "--state", "failed").stdout)["items"]
        causes = [failure["code"] for failure in cli.status(1)["failures"]["groups"]]
        path.unlink()
    finally:
        subprocess.run(["umount", "-l", str(logs)], check=True)
    if is_disk:
        assert causes == [document["code"]] == ["disk_full"]
        assert "room" in document["message"] or "space" in document["message"]
    else:
        assert causes == ["exit_1"]


def fill_up_to(place: Path, leave: int) -> Path:
    path = fill(place)
    os.truncate(path, path.stat().st_size - leave)
    return path
