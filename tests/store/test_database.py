"""Opening the store: what is made, what is refused, who may write."""

import os
import stat
import subprocess
import sys
import threading

import pytest

from jobctl.config import Home
from jobctl.errors import HomeError, NotFound, StoreError
from jobctl.store import sqlite
from jobctl.store.meta import store_id
from jobctl.store.opening.file_state import file_state
from jobctl.store.opening.open import open_database
from jobctl.store.schema import generate, stored


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


def test_the_shipped_schema_is_generated_from_the_tables():
    assert stored() == generate()


def test_a_new_store_has_every_table_and_its_own_id(home):
    database = open_database(home, create=True)
    tables = {row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert {"jobs", "items", "attempts", "failures", "journal", "requests", "queues", "daemon", "meta"} <= tables
    first = store_id(database)
    database.close()
    again = open_database(home)
    assert store_id(again) == first
    assert again.scalar("PRAGMA wal_autocheckpoint") == 0
    assert again.scalar("PRAGMA synchronous") == 2
    again.close()


def test_modes_are_private_under_any_umask(home):
    previous = os.umask(0)
    try:
        database = open_database(home, create=True)
        with database.transaction():
            database.execute("INSERT INTO meta VALUES ('x', 'y')")
        for path in (home.root, *home.root.iterdir()):
            assert stat.S_IMODE(path.lstat().st_mode) & 0o077 == 0, path
        database.close()
    finally:
        os.umask(previous)


def test_no_store_is_not_made_by_reading(home):
    with pytest.raises(NotFound):
        open_database(home)
    assert not home.root.exists()


def test_a_look_at_a_store_that_is_being_made_does_not_shape_it(home):
    home.root.mkdir(mode=0o700)
    home.database.touch(mode=0o600)  # as far as the maker has come, or as it was killed
    with pytest.raises(NotFound, match="no jobs yet"):
        open_database(home)
    assert home.database.stat().st_size == 0
    database = open_database(home, create=True)
    assert database.scalar("PRAGMA auto_vacuum") == 2  # INCREMENTAL, which only an empty file takes
    database.close()


def test_the_maker_of_a_store_waits_for_a_reader_of_it(home, monkeypatch):
    home.root.mkdir(mode=0o700)
    home.database.touch(mode=0o600)
    reader = sqlite.connect(home.database, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    waits = []
    monkeypatch.setattr("jobctl.store.opening.open.BUSY_TIMEOUT_MS", 0)
    monkeypatch.setattr("jobctl.store.database.time.sleep", lambda s: (waits.append(s), reader.close()))
    open_database(home, create=True).close()
    assert len(waits) == 1


def test_a_home_that_others_may_write_is_refused(home):
    home.root.mkdir(mode=0o777)
    home.root.chmod(0o777)
    with pytest.raises(HomeError, match="written by others"):
        open_database(home, create=True)


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to look like one" * 40, b"SQLite format 3\0junk"]
)
def test_a_damaged_file_is_refused_and_left_as_it_is(home, content):
    open_database(home, create=True).close()
    home.database.write_bytes(content)
    with pytest.raises(StoreError):
        open_database(home, create=True)
    assert home.database.read_bytes() == content


@pytest.mark.parametrize("left", [5, 4091])
def test_a_file_that_ends_within_a_page_is_refused_and_left_as_it_is(home, left):
    """Found by a campaign: SQLite reads zeros where the rest of the page was."""
    database = open_database(home, create=True)
    with database.transaction():
        database.execute(
            "INSERT INTO meta VALUES ('x', ?)", ("y" * 20_000,)
        )  # the last pages are not looked at to open it
    database.close()
    os.truncate(home.database, home.database.stat().st_size - 4096 + left)
    before = home.database.read_bytes()
    for create in (False, True):
        with pytest.raises(StoreError, match="ends within a page"):
            open_database(home, create=create)
    assert (found := file_state(home.database)).kind == "damaged" and found.findings[0] == sqlite.CUT_OFF
    assert home.database.read_bytes() == before


def test_a_page_that_was_written_by_halves_is_made_whole_by_the_wal(home):
    """Leave the file as a full disk does in the middle of a checkpoint."""
    first = open_database(home, create=True)
    first.checkpoint()
    with first.transaction():
        first.execute("INSERT INTO meta VALUES ('x', ?)", ("y" * 20_000,))
    os.truncate(home.database, home.database.stat().st_size + 1_000)
    second = open_database(home)
    assert len(second.scalar("SELECT value FROM meta WHERE key = 'x'")) == 20_000
    second.close()
    first.close()
    assert home.database.stat().st_size % 4096 == 0


def test_a_foreign_database_is_refused_untouched(home):
    home.root.mkdir(mode=0o700)
    other = sqlite.connect(home.database)
    other.execute("CREATE TABLE somebody_elses (a)")
    other.commit()
    other.close()
    home.database.chmod(0o600)
    before = home.database.read_bytes()
    with pytest.raises(StoreError, match="not a jobctl database"):
        open_database(home, create=True)
    assert home.database.read_bytes() == before


def test_a_newer_database_is_refused_untouched(home):
    database = open_database(home, create=True)
    database.execute("PRAGMA user_version = 9999")
    database.checkpoint()
    database.close()
    before = home.database.read_bytes()
    with pytest.raises(StoreError, match="newer jobctl"):
        open_database(home)
    assert home.database.read_bytes() == before


@pytest.mark.parametrize("plant", ["symlink", "fifo", "hardlink"])
def test_something_planted_at_the_place_of_the_database_is_refused(home, tmp_path, plant):
    home.root.mkdir(mode=0o700)
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    if plant == "symlink":
        home.database.symlink_to(victim)
    elif plant == "hardlink":
        home.database.hardlink_to(victim)
    else:
        os.mkfifo(home.database)
    with pytest.raises(StoreError):
        open_database(home, create=True)
    assert victim.read_bytes() == b"precious"


def test_a_failed_transaction_leaves_nothing(home):
    database = open_database(home, create=True)
    with pytest.raises(RuntimeError), database.transaction():
        database.execute("INSERT INTO meta VALUES ('half', 'done')")
        raise RuntimeError
    assert database.scalar("SELECT count(*) FROM meta WHERE key = 'half'") == 0
    database.close()


def test_writers_wait_for_each_other(home):
    open_database(home, create=True).close()

    def write(number):
        database = open_database(home)
        for n in range(20):
            with database.transaction():
                database.execute("INSERT INTO meta VALUES (?, '')", (f"{number}-{n}",))
        database.close()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database = open_database(home)
    assert database.scalar("SELECT count(*) FROM meta WHERE key LIKE '%-%'") == 120
    database.close()


def test_many_processes_may_make_the_same_store_at_once(home):
    code = (
        "import sys; from pathlib import Path; from jobctl.config import Home\n"
        "from jobctl.store.opening.open import open_database\n"
        "from jobctl.store.meta import store_id\n"
        f"print(store_id(open_database(Home(Path({str(home.root)!r})), create=True)))"
    )
    makers = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(6)]
    ids = {maker.communicate()[0].strip() for maker in makers}
    assert all(maker.returncode == 0 for maker in makers)
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 40, 1), True), ((3, 44, 5), True), ((3, 44, 6), False), ((3, 50, 6), True), ((3, 50, 7), False),
        ((3, 51, 2), True), ((3, 51, 3), False), ((3, 53, 4), False), ((3, 6, 23), False),
    ],
)  # fmt: skip
def test_builds_with_the_wal_reset_bug_are_known(version, affected):
    assert sqlite.has_wal_reset_bug(version) is affected
