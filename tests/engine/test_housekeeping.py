"""Housekeeping of the engine: it sees whether its store is still there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobctl.config import Home
from jobctl.engine.errors import StoreGone
from jobctl.engine.housekeeping import HEARTBEAT_US, Housekeeping
from jobctl.store import requests
from jobctl.store.opening.open import open_database
from tests.engine.bench import Bench

NOW = 1_800_000_000_000_000


@pytest.fixture
def housekeeping(home: Home) -> Housekeeping:
    made = Housekeeping(open_database(home, create=True), None, 2, NOW)
    made.do_due_work(NOW, "up", "")
    return made


@pytest.mark.parametrize("again", [False, True])
def test_a_store_that_was_removed_is_noticed_with_the_next_beat(
    housekeeping: Housekeeping, home: Home, again: bool
) -> None:
    home.root.rename(home.root.with_name("away"))
    if again:
        open_database(home, create=True).close()
    housekeeping.do_due_work(NOW + 1, "up", "")
    with pytest.raises(StoreGone):
        housekeeping.do_due_work(NOW + HEARTBEAT_US, "up", "")


def test_a_disk_that_fails_is_not_one_that_was_removed(
    housekeeping: Housekeeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.stat

    def failing(path: str | Path, **options: object) -> os.stat_result:
        if str(path).endswith("jobctl.db"):
            raise OSError(5, "Input/output error", str(path))
        return real(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("jobctl.store.database.os.stat", failing)
    housekeeping.do_due_work(NOW + HEARTBEAT_US, "up", "")


def asked(bench: Bench) -> str:
    """Request a checkpoint after a commit that is in the write-ahead log."""
    bench.submit(rows=2_000)
    return requests.ask_for_checkpoint(bench.database, "test", bench.now)


def log_size(bench: Bench) -> int:
    return Path(f"{bench.home.database}-wal").stat().st_size


def test_the_log_is_emptied_on_request_and_the_answer_is_kept(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    token = asked(bench)
    assert log_size(bench) > 100_000
    assert requests.is_checkpointed(bench.database, token) is False
    bench.tick()
    assert requests.is_checkpointed(bench.database, token) is True
    assert log_size(bench) < 50_000
    assert requests.checkpoints(bench.database) == []
    assert requests.is_checkpointed(bench.database, "nobody's") is None


def test_a_long_reader_delays_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobctl.store.opening.open.BUSY_TIMEOUT_MS", 20)
    bench = Bench(tmp_path)
    bench.tick()
    reader = open_database(bench.home)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM jobs").fetchone()
    token = asked(bench)
    bench.tick(2)
    assert requests.is_checkpointed(bench.database, token) is False
    reader.execute("COMMIT")
    bench.tick()
    assert requests.is_checkpointed(bench.database, token) is True
    reader.close()


def test_the_next_engine_obeys_the_requests_to_a_dead_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.tick()
    token = asked(bench)
    bench.start(fresh=False)
    bench.tick()
    assert requests.is_checkpointed(bench.database, token) is True
