"""The care for a store: copies, the check after a crash, migrations, file systems that are refused."""

import os
import sqlite3
import subprocess
import sys

import pytest

from jobctl.config import Home
from jobctl.errors import Busy, HomeError, StoreError
from jobctl.process import mounts
from jobctl.services.doctor import restore
from jobctl.store.opening import backup, integrity, layout, migrate
from jobctl.store.opening import open as opening
from jobctl.store.opening.open import open_database
from jobctl.store.schema import SCHEMA_VERSION
from tests.factories import make_store

HOUR = backup.EVERY_US
NOW = 1_800_000_000_000_000


@pytest.fixture
def store(tmp_path):
    home = Home(tmp_path / "home")
    maker = make_store(home)
    opened = maker.database
    maker.job("q" * 50)
    yield home, opened
    opened.close()


def columns(home, table):
    with sqlite3.connect(home.database) as connection:
        return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def test_a_copy_is_whole_and_private_and_three_are_kept(store):
    home, opened = store
    for hour in range(5):
        made = backup.make(opened, NOW + hour * HOUR)
    copies = backup.existing(home.root)
    assert len(copies) == backup.KEEP and copies[-1] == made
    assert {path.stat().st_mode & 0o777 for path in copies} == {0o600}
    with sqlite3.connect(made) as copy:
        assert copy.execute("SELECT count(*) FROM items").fetchone() == (50,)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert list(backup.folder(home.root).glob(".*")) == []


def test_a_copy_that_fails_leaves_nothing_and_takes_none_of_the_old_ones(store):
    home, opened = store
    backup.make(opened, NOW)
    opened.execute("BEGIN")
    with pytest.raises(sqlite_error()):
        backup.make(opened, NOW + HOUR)
    opened.execute("ROLLBACK")
    assert [path.name for path in backup.folder(home.root).iterdir()] == [backup.existing(home.root)[0].name]


def sqlite_error():
    from jobctl.store import sqlite

    return sqlite.OperationalError


def test_a_copy_is_due_when_an_hour_has_passed_and_something_has_changed(store):
    _, opened = store
    changed = int(opened.scalar("SELECT max(updated_at) FROM jobs"))
    assert backup.is_due(opened, changed + 1)
    os.utime(backup.make(opened, changed), ns=(changed * 1000, changed * 1000))
    assert not backup.is_due(opened, changed + 2 * HOUR), "nothing has changed"
    opened.execute("UPDATE jobs SET updated_at = ?", (changed + 1,))
    assert not backup.is_due(opened, changed + HOUR // 2), "half an hour only"
    assert backup.is_due(opened, changed + HOUR + 1)
    opened.execute("UPDATE jobs SET updated_at = 'zz'")
    assert not backup.is_due(opened, changed + HOUR + 1), "a damaged time is not a change, and does not end the engine"


def test_a_file_left_open_is_read_through_and_a_sound_one_is_taken(store):
    _, opened = store
    integrity.begin(opened)
    integrity.begin(opened)
    integrity.end(opened)
    assert opened.scalar("SELECT value FROM meta WHERE key = 'open'") == "0"


def damage(home):
    """Overwrite the page that holds the items."""
    with sqlite3.connect(home.database) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'items'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with home.database.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)


def test_a_damaged_file_is_refused_unchanged_and_the_recipe_brings_the_copy_back(store):
    home, opened = store
    integrity.begin(opened)
    backup.make(opened, NOW)
    opened.checkpoint()
    opened.close()
    damage(home)
    before = home.database.read_bytes()
    again = open_database(home)
    with pytest.raises(StoreError, match="damaged") as caught:
        integrity.begin(again)
    again.close()
    assert home.database.read_bytes() == before
    assert caught.value.hint.endswith("jobctl doctor --restore")
    restored = restore.restore(home, NOW)
    assert (restored.aside / "jobctl.db").read_bytes() == before
    restored = open_database(home)
    assert restored.scalar("SELECT count(*) FROM items") == 50
    restored.close()


def test_without_a_copy_the_recipe_still_keeps_the_file(tmp_path):
    (tmp_path / "jobctl.db").write_text("torn")
    recipe = backup.repair_hint(tmp_path).partition(": ")[2].partition(" (")[0]
    subprocess.run(["sh", "-ec", recipe], check=True)
    assert (tmp_path / "damaged" / "jobctl.db").read_text() == "torn"


@pytest.fixture
def next_release(monkeypatch):
    """A jobctl whose schema is one further."""

    def release(script, version=SCHEMA_VERSION + 1):
        monkeypatch.setattr(migrate, "steps", lambda: {version: script})
        monkeypatch.setattr(layout, "SCHEMA_VERSION", version)
        monkeypatch.setattr(opening, "SCHEMA_VERSION", version)

    return release


def test_an_older_database_is_migrated_with_a_copy_beforehand(store, next_release, capsys):
    home, opened = store
    opened.close()
    next_release("ALTER TABLE jobs ADD COLUMN colour TEXT;\nUPDATE jobs SET colour = 'a;b';\n")
    migrated = open_database(home)
    assert migrated.scalar("SELECT colour FROM jobs") == "a;b"
    assert migrated.scalar("PRAGMA user_version") == SCHEMA_VERSION + 1
    migrated.close()
    (copy,) = backup.existing(home.root)
    assert f"-schema{SCHEMA_VERSION}" in copy.name
    with sqlite3.connect(copy) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    assert "a copy is made first" in capsys.readouterr().err
    assert "colour" in columns(home, "jobs")


def test_a_migration_that_fails_leaves_the_version_before_it(store, next_release):
    home, opened = store
    opened.close()
    next_release("ALTER TABLE jobs ADD COLUMN colour TEXT; INSERT INTO nowhere VALUES (1);")
    with pytest.raises(StoreError, match="could not be brought"):
        open_database(home)
    assert "colour" not in columns(home, "jobs")
    with sqlite3.connect(home.database) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_no_migration_while_an_older_daemon_works(store, next_release):
    home, opened = store
    opened.close()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"from jobctl.process import lock; lock.take({str(home.lock)!r}); print(1, flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        holder.stdout.readline()
        next_release("ALTER TABLE jobs ADD COLUMN colour TEXT;")
        with pytest.raises(Busy, match="older jobctl") as caught:
            open_database(home)
        assert "daemon stop" in caught.value.hint
    finally:
        holder.communicate()
    assert "colour" not in columns(home, "jobs")
    open_database(home).close()
    assert "colour" in columns(home, "jobs")


def test_one_command_migrates_and_the_others_wait_for_it(store, next_release, monkeypatch):
    home, opened = store
    opened.close()
    code = f"from jobctl.process import lock; lock.take_for_a_while({str(home.lock)!r}); print(1, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        next_release("ALTER TABLE jobs ADD COLUMN colour TEXT;")

        def pause(*_):
            with sqlite3.connect(home.database) as connection:
                connection.execute("ALTER TABLE jobs ADD COLUMN colour TEXT")
                connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
            other.communicate(b"")
            return 0

        monkeypatch.setattr(migrate.random, "uniform", pause)
        open_database(home).close()
    assert columns(home, "jobs").count("colour") == 1
    assert backup.existing(home.root) == [], "the other one made the copy"


def test_an_unknown_way_is_refused_and_nothing_copied(store, next_release):
    home, opened = store
    opened.close()
    next_release("SELECT 1;", version=SCHEMA_VERSION + 2)
    with pytest.raises(StoreError, match="does not know the way"):
        open_database(home)
    assert backup.existing(home.root) == []


def test_triggers_of_a_migration_stay_in_one_piece():
    script = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  SELECT 1;\n  SELECT 2;\nEND;\n-- why; and how\nSELECT 3;"
    found = migrate.statements(script)
    assert len(found) == 2 and found[0].endswith("END;")


MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:40 / /home/ann rw - nfs4 server:/home rw
31 22 0:41 / /home/ann/my\\040disk rw - ext4 /dev/vdb rw
32 22 0:42 / /mnt/box rw - fuse.sshfs box: rw
33 22 0:43 / /mnt/box rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("path", "kind", "network"),
    [
        ("/var/lib/x", "ext4", False),
        ("/home/ann/.local/state/jobctl", "nfs4", True),
        ("/home/annette", "ext4", False),
        ("/home/ann/my disk/jobctl", "ext4", False),
        ("/mnt/box/jobctl", "tmpfs", False),
    ],
)
def test_the_file_system_of_a_path(tmp_path, path, kind, network):
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTS)
    assert mounts.kind_of(path, str(table)) == kind
    assert mounts.is_network(kind) is network


def test_a_new_store_is_refused_on_a_network(tmp_path, monkeypatch):
    monkeypatch.setattr(mounts, "kind_of", lambda _path: "nfs4")
    with pytest.raises(HomeError, match="network file system"):
        open_database(Home(tmp_path / "home"), create=True)
    assert not (tmp_path / "home").exists()


def test_the_file_system_of_this_machine_is_known():
    assert mounts.kind_of("/proc/self") == "proc"
