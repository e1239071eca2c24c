"""The owner and the readers of a store: S7 modes, S14 other users, S15 hostile databases, S13 other processes."""

from __future__ import annotations

import ctypes
import os
import shutil
import sqlite3
import stat
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from jobctl.errors import StoreError
from jobctl.process.identity import Tagger
from jobctl.process.start_options import StartOptions
from jobctl.process.sweep import sweep
from jobctl.store.opening.open import open_database
from tests.wait import wait_until

NOBODY = 65534
IN_CREATE, IN_ATTRIB, IN_MOVED_TO, IN_MODIFY, IN_OPEN = 0x100, 0x4, 0x80, 0x2, 0x20


class ModeWatch:
    """Looks at every file below a folder whenever anything happens to it, from its first moment on."""

    def __init__(self, root: Path) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(os.O_CLOEXEC)
        self._places: dict[int, Path] = {}
        self.seen: set[Path] = set()
        self.open_to_others: set[str] = set()
        self._stop, self._stopped = os.pipe()
        self._add(root)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _add(self, folder: Path) -> None:
        mask = IN_CREATE | IN_ATTRIB | IN_MOVED_TO | IN_MODIFY | IN_OPEN
        self._places[self._libc.inotify_add_watch(self._fd, os.fsencode(folder), mask)] = folder
        for path in folder.iterdir():
            self._look(path)

    def _look(self, path: Path) -> None:
        try:
            info = path.lstat()
        except OSError:
            return
        self.seen.add(path)
        if info.st_mode & 0o077:
            self.open_to_others.add(f"{path} {stat.S_IMODE(info.st_mode):04o}")
        if stat.S_ISDIR(info.st_mode) and path not in self._places.values():
            self._add(path)

    def _run(self) -> None:
        import select

        while True:
            ready, _, _ = select.select([self._fd, self._stop], [], [])
            if self._fd in ready:
                self._take(os.read(self._fd, 1 << 16))
            elif self._stop in ready:
                return

    def _take(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            watch, _, _, length = struct.unpack_from("iIII", data, at)
            name = data[at + 16 : at + 16 + length].rstrip(b"\0")
            at += 16 + length
            if watch in self._places and name:
                self._look(self._places[watch] / os.fsdecode(name))

    def close(self) -> None:
        os.write(self._stopped, b"x")
        self._thread.join()
        for fd in (self._fd, self._stop, self._stopped):
            os.close(fd)


@pytest.mark.parametrize("mask", [0o000, pytest.param(0o022, marks=pytest.mark.slow)], ids=oct)
def test_s7_no_other_user_can_read_anything_at_any_moment(cli, tmp_path, mask):
    cli.home = type(cli.home)(tmp_path / "state" / "deep" / "home")
    cli.env["JOBCTL_HOME"] = str(cli.home.root)
    cli.file("rows.csv", "id\n1\n2\n3\n4,5\n")
    previous = os.umask(mask)
    (tmp_path / "state").mkdir(mode=0o700)
    watch = ModeWatch(tmp_path / "state")
    try:
        script = "umask > umask.$1; echo out; echo err >&2; touch made.$1; [ $1 != 2 ]"
        words = ("--invalid", "skip", "--attempts", "1", "--", "sh", "-c", script, "sh", "{id}")
        cli("run", "rows.csv", "-q", *words, check=3)
        cli("daemon", "start")
        cli.submit("rows.csv", *words)
        cli("wait", "2", check=None)
        cli("retry", "1")
        cli("wait", "1", check=None)
        cli("doctor", "--repair", check=None)
        cli("daemon", "stop")
        cli("prune", "--older-than", "0s", "--include-failed")
    finally:
        watch.close()
        os.umask(previous)
    assert watch.open_to_others == set()
    names = {path.name for path in watch.seen}
    assert {"jobctl.db", "jobctl.db-wal", "daemon.lock", "daemon.log", "wake", "failed.csv", "manifest.json"} <= names
    assert {"failed.csv.tmp", "rejected.csv", "logs", "results", "1.out"} <= names
    assert (cli.work / "umask.1").read_text().strip() == f"{mask:04o}", "items have the umask of the submitter"
    assert stat.S_IMODE((cli.work / "made.1").stat().st_mode) == 0o666 & ~mask


def need_root():
    if os.geteuid() != 0:
        pytest.skip("needs root to be two users")


COMMANDS = (("status",), ("submit", "rows.txt", "--", "true"), ("daemon", "start"), ("doctor",))


def test_s14_root_does_not_work_on_the_store_of_a_user(cli):
    need_root()
    cli.file("rows.txt", "1\n")
    cli("run", "rows.txt", "-q", "--", "true")
    for path in (cli.home.root, *cli.home.root.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    before = {path: path.stat().st_mtime_ns for path in cli.home.root.rglob("*")}
    for words in COMMANDS:
        refused = cli(*words, check=1)
        assert "belongs to user 65534" in refused.stdout + refused.stderr
    assert {path: path.stat().st_mtime_ns for path in cli.home.root.rglob("*")} == before
    for path in (cli.home.root, *cli.home.root.rglob("*")):
        os.chown(path, 0, 0, follow_symlinks=False)


@pytest.mark.slow
def test_s14_no_command_works_on_the_store_of_another_user(cli):
    need_root()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    as_nobody = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    if subprocess.run([*as_nobody, *cli.program, "--version"], capture_output=True).returncode:
        pytest.skip("this Python is in a folder that others cannot enter")
    place = Path(tempfile.mkdtemp(dir="/tmp", prefix="jobctl-security-"))
    place.chmod(0o755)
    cli.home, cli.work = type(cli.home)(place / "home"), place
    cli.env["JOBCTL_HOME"] = str(cli.home.root)
    cli.file("rows.txt", "1\n")
    cli("run", "rows.txt", "-q", "--", "true")
    cli.home.root.chmod(0o755)
    (place / "rows.txt").chmod(0o644)
    for words in COMMANDS:
        done = subprocess.run(
            [*as_nobody, *cli.program, *words], cwd=cli.work, env=cli.env, capture_output=True, text=True
        )
        assert done.returncode == 1 and "belongs to user 0" in done.stdout + done.stderr, done
    shutil.rmtree(place)


HOSTILE = (
    "CREATE TRIGGER t AFTER UPDATE ON jobs BEGIN DELETE FROM items; END",
    'CREATE TRIGGER t AFTER INSERT ON journal BEGIN UPDATE jobs SET command = \'["touch","canary"]\'; END',
    "CREATE VIEW v AS SELECT * FROM jobs",
    "CREATE VIRTUAL TABLE ft USING fts5(a)",
)


@pytest.mark.parametrize("statement", HOSTILE, ids=lambda text: " ".join(text.split()[1:3]))
def test_s15_a_database_with_code_in_it_is_refused_unchanged(store, home, jobctl, statement):
    store.job("q")
    store.database.close()
    connection = sqlite3.connect(home.database)
    try:
        connection.execute(statement)
    except sqlite3.OperationalError as error:
        pytest.skip(str(error))
    connection.close()
    before = home.database.read_bytes()
    for words in (("status",), ("daemon", "start"), ("cancel", "1"), ("doctor",)):
        refused = jobctl(*words)
        assert refused.code == 1 and "triggers, views or virtual tables" in refused.out + refused.err
    assert home.database.read_bytes() == before


def test_s15_functions_of_a_hostile_schema_are_not_called(home):
    database = open_database(home, create=True)
    assert database.scalar("PRAGMA trusted_schema") == 0 and database.scalar("PRAGMA cell_size_check") == 1
    database.close()
    other = sqlite3.connect(home.database)
    other.execute("PRAGMA application_id=1")
    other.close()
    with pytest.raises(StoreError, match="not a jobctl database"):
        open_database(home)


def test_s13_a_process_of_another_store_is_not_ended(home, tmp_path):
    open_database(home, create=True).close()
    mine, other = StartOptions(home, 1).store_id, "ff-ff"
    strangers = []
    for text in (
        f"from jobctl.process.identity import Tagger; Tagger({other!r}).mark(1)",
        "import os; os.setpgid(0, 0)",
    ):
        code = f"{text}\nimport os; os.execvp('sleep', ['sleep', '60'])"
        env = os.environ | {"JOBCTL_COOKIE": f"{other}.1.1.1"}
        strangers.append(subprocess.Popen([sys.executable, "-c", code], env=env, stdin=subprocess.DEVNULL))
    try:
        wait_until(lambda: all(is_sleep(stranger.pid) for stranger in strangers), 60, "the strangers to be there")
        assert Tagger(mine).serial_of(strangers[0].pid) is None
        assert sweep(mine, grace_s=0.1) == []
        assert [stranger.poll() for stranger in strangers] == [None, None]
    finally:
        for stranger in strangers:
            stranger.kill()
            stranger.wait()


def is_sleep(pid):
    return b"sleep\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
