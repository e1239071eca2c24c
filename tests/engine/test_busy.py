"""Another process locks the database: the engine waits, says so, and continues; nothing is lost or runs twice."""

from __future__ import annotations

from jobctl.store import database
from jobctl.store.opening import open as opening
from jobctl.store.opening.open import open_database
from tests.engine.bench import SECOND, Bench
from tests.executors.fake import Play


def test_the_engine_survives_a_writer_that_keeps_the_lock(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "BUSY_TIMEOUT_MS", 10)
    monkeypatch.setattr(database, "BUSY_DEADLINE_S", 0.05)
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    bench.submit(rows=3)
    bench.start()
    bench.tick()
    running = bench.executor.running
    assert len(running) == 2
    other = open_database(bench.home)
    with other.transaction():
        for attempt in running:
            bench.executor.finish(attempt, Play())
        bench.engine.tick(bench.now + SECOND)  # its outcomes find no room
        assert bench.states(1) == "rrq"
    bench.executor._script = lambda _: Play()
    bench.work_off(step_us=2 * SECOND)
    assert bench.states(1) == "sss"
    assert len(bench.executor.dispatched) == 3
