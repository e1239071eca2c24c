"""The problems that the doctor finds, those that it repairs, and those that it leaves alone."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from jobctl import __version__
from jobctl.config import Home
from jobctl.domain.cluster_workers import ClusterWorkers, WorkersOffer
from jobctl.errors import Busy, NotFound, UsageError
from jobctl.process import mounts, space
from jobctl.process.identity import Tagger
from jobctl.process.start_options import StartOptions
from jobctl.services.doctor import doctor, restore
from jobctl.services.doctor.checks import cluster as checks_cluster
from jobctl.services.doctor.checks import store as checks_store
from jobctl.services.doctor.doctor import examine
from jobctl.store import daemon, elsewhere, sqlite
from jobctl.store.opening import backup
from jobctl.store.opening.open import open_database
from jobctl.store.schema import SCHEMA_VERSION
from tests.factories import make_store
from tests.locks import held_lock
from tests.store.test_layout import ddl_of, make_database
from tests.trusted import write_trusted
from tests.wait import wait_executed, wait_until

NOW = time.time_ns() // 1000


@pytest.fixture
def home(tmp_path):
    """A store with one job that is done."""
    home = Home(tmp_path / "home")
    maker = make_store(home)
    maker.job("ss", state="succeeded", started_at=1, finished_at=2)
    maker.database.close()
    return home


def look(home, *, repair=False, slots=2, now=NOW):
    """(level, message, whole finding) by check."""
    found = examine(home, now=now, program="jobctl", slots=slots, repair=repair)
    return found, dict(found.results)


def levels(findings):
    return {name: str(finding.level) for name, finding in findings.items() if finding.level != "ok"}


def test_a_sound_store_and_one_that_does_not_exist_are_well(home, tmp_path):
    found, findings = look(home)
    assert found.ok and levels(findings) == {}
    assert [name for name, _ in found.results] == [check.name for check in doctor.CHECKS]
    missing = Home(tmp_path / "missing")
    found, findings = look(missing, repair=True)
    assert found.ok and levels(findings) == {}
    assert not missing.root.exists(), "it makes nothing"


def test_an_examination_changes_nothing(home):
    before = contents(home)
    look(home)
    assert contents(home) == before


def contents(home):
    return {path: path.read_bytes() for path in home.root.rglob("*") if path.is_file()}


def test_rights_of_others_are_found_and_taken_away(home):
    home.database.chmod(0o644)
    home.root.chmod(0o755)
    found, findings = look(home)
    assert not found.ok and levels(findings) == {"permissions": "fail"}
    assert f"{home.database}: mode 0644" in findings["permissions"].details
    found, findings = look(home, repair=True)
    assert found.ok and "closed" in findings["permissions"].repaired
    assert home.database.stat().st_mode & 0o777 == 0o600 and home.root.stat().st_mode & 0o777 == 0o700


def test_a_home_that_others_may_write_is_closed_and_works_again(home):
    home.root.chmod(0o777)
    found, _ = look(home, repair=True)
    assert home.root.stat().st_mode & 0o777 == 0o700
    assert look(home)[0].ok and found.results[0][1].level != "fail"


def test_planted_files_are_named_and_left_alone(home, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    victim.chmod(0o644)
    (home.root / "logs" / "1").symlink_to(victim)
    os.link(victim, home.root / "results" / "2")
    found, findings = look(home, repair=True)
    assert not found.ok
    details = " ".join(findings["permissions"].details)
    assert "a symbolic link" in details and "hard links" in details
    assert victim.stat().st_mode & 0o777 == 0o644 and victim.read_text() == "precious"


@pytest.mark.parametrize("name", ["logs", "results", "backups"])
def test_a_file_in_the_place_of_a_folder_is_named_and_not_called_well(home, name):
    """Every other command refuses such a store, so its mode is not what is wrong with it."""
    place = home.root / name
    if place.exists():
        place.rename(home.root.with_name("away"))
    place.touch(mode=0o644)
    for _ in range(2):
        found, findings = look(home, repair=True)
        assert not found.ok
        assert f"{place}: a plain file" in findings["permissions"].message


@pytest.mark.parametrize("name", ["jobctl.db", "daemon.lock", "starts"])
def test_a_folder_in_the_place_of_a_file_is_named(home, name):
    place = home.root / name
    if place.exists():
        place.rename(home.root.with_name("away"))
    place.mkdir(mode=0o755)
    found, findings = look(home, repair=True)
    assert not found.ok
    assert findings["permissions"].message == (
        f"1 file of another user or of a wrong type, such as {place}: a directory"
    )


def test_a_place_where_others_could_put_another_store_deserves_a_look(home):
    home.root.parent.chmod(0o777)
    assert levels(look(home)[1]) == {"home": "warn"}
    home.root.parent.chmod(0o1777)
    assert levels(look(home)[1]) == {}


@pytest.mark.parametrize("what", ["file", "nobody's"])
def test_a_home_that_is_none(tmp_path, what):
    root = tmp_path / "home"
    if what == "file":
        root.write_text("")
    else:
        if os.geteuid() != 0:
            pytest.skip("only root can make a file of another user")
        root.mkdir()
        os.chown(root, 65534, 65534)
    found, findings = look(Home(root), repair=True)
    assert not found.ok and findings["home"].level == "fail"


def test_a_network_and_a_full_disk(home, monkeypatch):
    monkeypatch.setattr(mounts, "kind_of", lambda _path: "nfs4")
    monkeypatch.setattr(space, "shortage", lambda _path: "81 MiB of 12 GiB free")
    assert levels(look(home)[1]) == {"filesystem": "fail", "disk": "fail"}


def test_a_library_with_the_wal_reset_bug(home, monkeypatch):
    monkeypatch.setattr(sqlite, "has_wal_reset_bug", lambda: True)
    found, findings = look(home)
    assert found.ok and levels(findings) == {"sqlite": "warn"}


def damage(home):
    with sqlite3.connect(home.database) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'items'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    connection.close()
    with home.database.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (damage, "damaged"),
        (lambda home: home.database.write_bytes(b"torn"), "damaged"),
        (lambda home: os.truncate(home.database, home.database.stat().st_size - 100), "damaged"),
        (lambda home: home.database.write_bytes(b"not a database" * 1000), "damaged"),
        (lambda home: pragma(home, f"user_version={SCHEMA_VERSION + 1}"), "newer jobctl"),
        (lambda home: pragma(home, "application_id=1"), "not a database of jobctl"),
    ],
    ids=["page", "torn", "cut off", "junk", "newer", "foreign"],
)
def test_a_database_that_cannot_be_used_is_left_as_it_is(home, spoil, said):
    spoil(home)
    before = home.database.read_bytes()
    found, findings = look(home, repair=True)
    assert not found.ok
    assert findings["database"].level == "fail" and said in findings["database"].message
    assert findings["database"].action
    assert home.database.read_bytes() == before


def pragma(home, text):
    connection = sqlite3.connect(home.database)
    connection.execute(f"PRAGMA {text}")
    connection.close()


def test_an_older_schema_is_not_migrated_by_looking(home):
    for path in home.root.glob("jobctl.db*"):
        path.unlink()
    make_database(home.database, ddl_of("schema1"))
    _, findings = look(home, repair=True)
    assert findings["database"].level == "warn" and "brings it up to date" in findings["database"].action


def test_a_long_log_without_a_daemon_is_moved_into_the_database(home, monkeypatch):
    monkeypatch.setattr(checks_store, "WAL_LONG", 1 << 16)
    keeper = open_database(home)  # or the last one to close would do it
    with keeper.transaction():
        keeper.executemany("INSERT INTO meta VALUES (?, ?)", [(f"x{n}", "y" * 1000) for n in range(300)])
    assert levels(look(home)[1]) == {"wal": "warn"}
    _, findings = look(home, repair=True)
    assert findings["wal"].level == "ok" and "into the database" in findings["wal"].repaired
    keeper.close()


def test_nothing_that_needs_the_lock_is_repaired_while_a_daemon_runs(home, monkeypatch):
    monkeypatch.setattr(checks_store, "WAL_LONG", 1 << 16)
    keeper = open_database(home)
    with keeper.transaction():
        keeper.executemany("INSERT INTO meta VALUES (?, ?)", [(f"x{n}", "y" * 1000) for n in range(300)])
    (home.results / "1").mkdir()
    stray = home.results / "1" / "failed.csv.tmp"
    stray.write_text("half")
    with held_lock(home):
        _, findings = look(home, repair=True)
    assert stray.exists() and not findings["wal"].repaired
    keeper.close()


def test_unfinished_files_go(home):
    stray = home.results / "1" / "failed.csv.tmp"
    stray.parent.mkdir(mode=0o700)
    stray.write_text("half")
    stray.chmod(0o600)
    assert levels(look(home)[1]) == {"stray_files": "warn"}
    found, findings = look(home, repair=True)
    assert found.ok and findings["stray_files"].repaired == "removed 1 unfinished file"
    assert not stray.exists()


def test_processes_of_a_daemon_that_died_are_found_and_ended(home):
    store = StartOptions(home, 1).store_id
    marked = f"""
import subprocess, sys
from jobctl.process.identity import Tagger
Tagger({store!r}).mark(7)
print(subprocess.Popen(["sleep", "300"], stdout=-3, stderr=-3, start_new_session=True).pid)
"""
    env = os.environ | {"JOBCTL_COOKIE": f"{store}.1.1.1"}
    left = int(subprocess.run([sys.executable, "-c", marked], env=env, capture_output=True, check=True).stdout)
    try:
        assert Tagger(store).serial_of(left) in (7, None)
        wait_executed(left)
        found, findings = look(home)
        assert not found.ok and levels(findings) == {"leftovers": "fail"}
        assert f"{left} sleep 300" in findings["leftovers"].details
        found, findings = look(home, repair=True)
        assert found.ok and findings["leftovers"].repaired == "ended 1 process"
        wait_until(lambda: not os.path.exists(f"/proc/{left}") or is_zombie(left), 60, "its end")
    finally:
        if os.path.exists(f"/proc/{left}") and not is_zombie(left):
            os.kill(left, signal.SIGKILL)


def is_zombie(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "Z"


def test_work_that_waits_for_a_daemon_that_is_down(home):
    maker = make_store(home)
    maker.job("q")
    maker.database.close()
    _, findings = look(home)
    assert findings["daemon"].level == "warn" and findings["daemon"].action == "jobctl daemon start"


def test_a_daemon_of_another_version_and_one_that_says_nothing(home):
    maker = make_store(home)
    with held_lock(home) as pid:
        maker.daemon(pid=pid, version="0.0.9", heartbeat_at=NOW, started_at=NOW)
        _, findings = look(home)
        assert findings["daemon"].level == "warn" and "0.0.9" in findings["daemon"].message
        maker.daemon(pid=pid, heartbeat_at=NOW - 60_000_000)
        found, findings = look(home)
        assert not found.ok and "has not responded for" in findings["daemon"].message
    maker.database.close()


@pytest.mark.parametrize("column", ["submitted_at", "updated_at"])
def test_a_time_that_is_text_is_damage_and_ends_no_check(home, column):
    with contextlib.closing(sqlite3.connect(home.database)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = 1")
        connection.execute(f"UPDATE jobs SET {column} = 'x'")
    found, findings = look(home)
    assert not found.ok and findings["clock"].level == "ok"


def test_times_of_the_future_and_a_clock_that_is_not_set(home):
    assert levels(look(home, now=NOW - 10 * 365 * 86_400_000_000)[1])["clock"] == "fail"
    database = open_database(home)
    with database.transaction():
        database.execute("UPDATE jobs SET updated_at = ?", (NOW + 3_600_000_000,))
    database.close()
    _, findings = look(home)
    assert findings["clock"].level == "warn" and "1h 00m in the future" in findings["clock"].message


def test_limits_that_are_too_low_for_the_slots(home):
    _, findings = look(home, slots=10_000_000)
    assert findings["limits"].level in ("ok", "warn")
    import resource

    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] != resource.RLIM_INFINITY:
        assert findings["limits"].level == "warn" and "open files" in findings["limits"].message


def test_limits_are_judged_by_the_slots_of_the_daemon_that_runs(home):
    with held_lock(home) as pid:
        maker = make_store(home)
        maker.daemon(pid=pid, heartbeat_at=NOW, slots=3)
        maker.database.close()
        assert look(home, slots=2)[1]["limits"].message.endswith("for 3 slots")
    assert look(home, slots=2)[1]["limits"].message.endswith("for 2 slots")


def test_something_in_the_place_of_the_fifo(home):
    home.wake.write_text("")
    home.wake.chmod(0o600)
    found, findings = look(home)
    assert not found.ok and findings["wakeup"].level == "fail"


def test_settings_with_mistakes(home, tmp_path, monkeypatch):
    (tmp_path / "jobctl.toml").write_text("[submit]\nattempts = 'many'\n")
    monkeypatch.chdir(tmp_path)
    found, findings = look(home)
    assert not found.ok and "attempts" in findings["settings"].message


# ---- going back to a copy ----


def with_copy(home):
    database = open_database(home)
    made = backup.make(database, NOW)
    database.close()
    return made


@pytest.mark.parametrize("how", ["damaged", "gone"])
def test_the_newest_sound_copy_takes_the_place(home, how):
    copy = with_copy(home)
    if how == "damaged":
        damage(home)
    else:
        home.database.unlink()
    spoiled = home.database.read_bytes() if how == "damaged" else None
    torn = backup.folder(home.root) / "jobctl-29991231T000000Z.db"
    torn.write_bytes(b"torn")
    torn.chmod(0o600)
    assert "--restore" in look(home)[1]["database"].action
    done = restore.restore(home, NOW)
    assert done.copy == copy
    if spoiled is not None:
        assert (done.aside / "jobctl.db").read_bytes() == spoiled
    database = open_database(home)
    assert database.scalar("SELECT count(*) FROM items") == 2
    database.close()
    assert home.database.stat().st_mode & 0o777 == 0o600
    assert look(home)[1]["database"].level == "ok"


def test_a_sound_database_a_running_daemon_or_no_copy_restore_nothing(home, tmp_path):
    with_copy(home)
    before = home.database.read_bytes()
    with pytest.raises(UsageError, match="not damaged"):
        restore.restore(home, NOW)
    assert home.database.read_bytes() == before
    damage(home)
    before = home.database.read_bytes()
    with held_lock(home), pytest.raises(Busy):
        restore.restore(home, NOW)
    for path in backup.existing(home.root):
        path.unlink()
    with pytest.raises(NotFound, match="no sound copy"):
        restore.restore(home, NOW)
    assert home.database.read_bytes() == before
    with pytest.raises(NotFound):
        restore.restore(Home(tmp_path / "nowhere"), NOW)


# ---- a cluster ----


@pytest.mark.parametrize(
    ("cluster", "level", "said"),
    [
        (ClusterWorkers("s.json", (WorkersOffer(2, 4, ()),)), "ok", "s.json, 2 workers with 8 slots"),
        (ClusterWorkers("s.json"), "warn", "no worker is there"),
        (
            ClusterWorkers(
                "s.json", (WorkersOffer(1, 4, ()),), unfit=("a worker on old has jobctl 0.0.1 instead of jobctl 0.1.0",)
            ),
            "warn",
            "on old",
        ),
    ],
)
def test_the_cluster_of_a_daemon_that_is_up(home, cluster, level, said):
    with held_lock(home) as pid:
        database = open_database(home)
        row = daemon.Heartbeat(pid, pid, "up", "all", 8, __version__, NOW, NOW, "")
        daemon.save(database, row, cluster)
        elsewhere.remember(database, ("cluster.scheduler_file=s.json",))
        database.close()
        _, findings = look(home)
    assert (findings["cluster"].level, said in findings["cluster"].message) == (level, True)


@pytest.mark.parametrize(
    ("settings", "level", "said"),
    [
        ("", "ok", "this machine"),
        ('executor = "local"\nscheduler-file = "absent.json"', "ok", "this machine"),
        ('executor = "dask"', "warn", "where the scheduler is"),
        ('scheduler-file = "absent.json"', "warn", "absent.json yet"),
        ('scheduler = "tls://node1:8786"\ntls-ca = "absent.pem"', "fail", "absent.pem"),
        ('scheduler = "tcp://127.0.0.1:8786"', "ok", "tcp://127.0.0.1:8786"),
    ],
)
def test_a_cluster_that_the_settings_name(home, tmp_path, monkeypatch, settings, level, said):
    pytest.importorskip("distributed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    write_trusted(tmp_path / "jobctl.toml", f"[daemon]\n{settings}\n")
    _, findings = look(home)
    assert (findings["cluster"].level, said in findings["cluster"].message) == (level, True), findings["cluster"]


def test_a_cluster_without_its_packages_is_a_finding(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checks_cluster, "find_spec", lambda name: None)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    write_trusted(tmp_path / "jobctl.toml", '[daemon]\nexecutor = "dask"\n')
    assert "pip install" in look(home)[1]["cluster"].action
