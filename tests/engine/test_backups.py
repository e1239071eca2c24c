"""The hourly copy: if one fails for any reason, the engine continues and makes the next one."""

import pytest

from jobctl.engine.backups import Backups
from jobctl.store import jobs
from jobctl.store.opening import backup
from tests.engine.bench import SECOND, Bench

MINUTE, HOUR = 60 * SECOND, 3600 * SECOND


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    job = made.submit(rows=1)
    jobs.update(made.database, job, updated_at=made.now)
    return made


def keep(backups, now):
    """Let it look, and wait for what it began."""
    backups.make_if_due(now)
    if backups._thread is not None:
        backups._thread.join(60)


def test_a_copy_is_made_when_something_has_changed(bench):
    backups = Backups(bench.database, bench.now)
    keep(backups, bench.now + MINUTE)
    assert len(backup.existing(bench.home.root)) == 1


def test_a_home_that_cannot_be_opened_costs_one_copy(bench, capfd):
    backups = Backups(bench.database, bench.now)
    bench.home.root.chmod(0o777)  # every open of the store refuses that
    keep(backups, bench.now + MINUTE)
    assert "no backup was made: " in capfd.readouterr().err
    bench.home.root.chmod(0o700)
    keep(backups, bench.now + HOUR)
    assert len(backup.existing(bench.home.root)) == 1


def test_a_copy_that_is_removed_meanwhile_does_not_matter(bench, monkeypatch):
    backups = Backups(bench.database, bench.now)
    monkeypatch.setattr(backup, "existing", lambda root: [root / "gone.db"])
    keep(backups, bench.now + MINUTE)
    monkeypatch.undo()
    keep(backups, bench.now + HOUR)
    assert len(backup.existing(bench.home.root)) == 1
