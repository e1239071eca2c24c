"""S8: something else lies where jobctl keeps a file. Nothing is written through it, nothing hangs.

Every place with every kind of thing is tried with ``-m slow``; the fast tests try them together where they can.
"""

from __future__ import annotations

import os
import stat

import pytest

from jobctl.errors import HomeError, StoreError
from jobctl.process import lock
from jobctl.process.daemon import start_detached
from jobctl.process.start_options import StartOptions
from jobctl.store.opening.open import open_database

PATIENCE_S = 60
KINDS = ("symlink", "hardlink", "fifo")
#: SQLite opens these by itself.
DATABASE = ("jobctl.db", "jobctl.db-wal", "jobctl.db-shm", "jobctl.db-journal")
#: Without these no daemon can work.
DAEMON = ("daemon.lock", "daemon.log", "wake")
#: A new file takes the place of these.
REPLACED = (
    "starts", "outcomes", "calls", "leaders", "logs/1/1.out", "logs/1/1.err", "results/1/succeeded.csv",
    "results/1/succeeded.csv.tmp", "results/1/failed.csv", "results/1/manifest.json", "results/1/manifest.json.tmp",
    "results/1/rejected.csv",
)  # fmt: skip
FOLDERS = ("logs", "logs/1", "results", "results/1", "backups")
PRECIOUS = b"precious\n"


@pytest.fixture
def victim(tmp_path):
    path = tmp_path / "victim"
    path.write_bytes(PRECIOUS)
    path.chmod(0o640)
    yield path
    assert path.read_bytes() == PRECIOUS
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def plant(home, place, kind, victim):
    path = home.root / place
    previous = os.umask(0o077)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.umask(previous)
    if kind == "symlink":
        path.symlink_to(victim)
    elif kind == "hardlink":
        path.hardlink_to(victim)
    else:
        os.mkfifo(path, 0o600)


def use(cli):
    """Use a store with the usual commands; returns the exit code of each."""
    cli.file("rows.csv", "id,n\n1,1\n2,2,2\n3,3\n")
    codes = {}
    for words in (
        ("submit", "rows.csv", "--invalid", "skip", "--", "echo", "{id}"),
        ("status",),
        ("daemon", "start"),
        ("wait", "1", "--timeout", "3s"),
        ("logs", "1"),
        ("results", "1"),
        ("doctor", "--repair"),
        ("daemon", "stop", "--now"),
    ):
        done = cli(*words, check=None, timeout=PATIENCE_S)
        assert "Traceback" not in done.stderr and "bug in jobctl" not in done.stderr, done.stderr
        assert done.returncode in (0, 1, 2, 3, 4, 7, 9, 75, 124), (words, done)
        codes[" ".join(words[:2])] = done.returncode
    return codes


@pytest.mark.parametrize("kind", ["symlink", *(pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS[1:])])
def test_files_that_are_made_again_replace_planted_ones(cli, victim, kind):
    for place in REPLACED:
        plant(cli.home, place, kind, victim)
    codes = use(cli)
    assert codes["wait 1"] == 3 and codes["logs 1"] == 0  # 3: a row was rejected
    for place in REPLACED:
        if not place.startswith("logs") and place not in ("starts", "outcomes", "calls", "leaders"):
            path = cli.home.root / place
            assert not path.exists() or stat.S_ISREG(path.lstat().st_mode), place


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", DATABASE)
def test_a_store_with_a_planted_file_is_not_opened(home, victim, place, kind):
    open_database(home, create=True).close()
    (home.root / place).unlink(missing_ok=True)
    plant(home, place, kind, victim)
    for create in (True, False):
        with pytest.raises(StoreError, match="not a plain file"):
            open_database(home, create=create)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", DAEMON)
def test_no_daemon_starts_with_a_planted_file(home, victim, place, kind):
    if (place, kind) == ("wake", "fifo"):
        pytest.skip("a FIFO is not a planted file there: jobctl itself creates wake as one")
    open_database(home, create=True).close()
    plant(home, place, kind, victim)
    with pytest.raises(Exception, match=r"not|no plain|levels of symbolic links"):
        start_detached(StartOptions(home, 1))
    if place == "daemon.lock":
        with pytest.raises(OSError):
            lock.holder(str(home.lock))


@pytest.mark.parametrize("place", ["logs", "results"])
def test_a_store_whose_folder_is_a_link_is_not_opened(home, tmp_path, place):
    open_database(home, create=True).close()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (home.root / place).rmdir()
    (home.root / place).symlink_to(elsewhere)
    for create in (True, False):
        with pytest.raises(HomeError, match="not a directory of yours"):
            open_database(home, create=create)
    assert list(elsewhere.iterdir()) == []


def test_results_are_not_written_where_a_link_points_to(cli, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for place in ("results/1", "backups"):
        plant(cli.home, place, "symlink", elsewhere)
    codes = use(cli)
    assert codes["submit rows.csv"] == 1 and codes["wait 1"] == 9
    assert list(elsewhere.iterdir()) == []


def test_a_home_that_is_a_link_of_another_user_is_refused(home, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can make a file of another user")
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    home.root.symlink_to(own)
    open_database(home, create=True).close()
    os.chown(home.root, 65534, 65534, follow_symlinks=False)
    with pytest.raises(HomeError, match="belongs to user 65534"):
        open_database(home)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", [*DATABASE, *DAEMON, *REPLACED])
def test_nothing_is_written_through_a_planted_file(cli, victim, place, kind):
    plant(cli.home, place, kind, victim)
    use(cli)
    if place == "daemon.lock":
        (cli.home.root / place).unlink()


@pytest.mark.slow
@pytest.mark.parametrize("place", FOLDERS)
def test_nothing_is_written_into_a_folder_that_a_link_points_to(cli, tmp_path, place):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    plant(cli.home, place, "symlink", elsewhere)
    use(cli)
    assert list(elsewhere.iterdir()) == []
