"""A recovery that is itself cut short: what may have begun stays so."""

import pytest

from jobctl.domain.policy import Policy
from jobctl.domain.ports import AttemptId, Barred, Lost
from jobctl.engine.attempts import recovery
from jobctl.engine.writing import Writer
from jobctl.supervisor.kept_starts import KeptStarts
from tests.engine.bench import Bench
from tests.executors.fake import FakeExecutor, Play


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path, script=lambda _: Play(hold=True))


def other_boot(bench, monkeypatch):
    """All that ran is gone, and a ring of another name is there."""
    bench.executor = FakeExecutor(bench.executor._script, clock=lambda: bench.now)
    ring = bench.home.root / "starts"
    ring.unlink(missing_ok=True)
    monkeypatch.setenv("JOBCTL_STARTS", KeptStarts(str(ring)).name)


def test_an_engine_that_dies_between_epoch_and_settlement_leaves_its_successor_the_interrupted(bench, monkeypatch):
    other_boot(bench, monkeypatch)
    bench.submit(rows=2)
    bench.tick(3)
    assert bench.states(1) == "rr"
    with bench.database.transaction():
        bench.database.execute("DELETE FROM attempts")  # that they began was on its way to the database
    other_boot(bench, monkeypatch)
    with monkeypatch.context() as cut, pytest.raises(KeyboardInterrupt):
        cut.setattr(Writer, "step", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        bench.start()
    bench.start()
    endings = bench.database.execute("SELECT item, attempt, ending FROM attempts ORDER BY item, attempt").fetchall()
    assert [row for row in endings if row[2] is not None] == [(1, 1, 4), (2, 1, 4)]
    bench.tick(3)
    assert bench.database.execute("SELECT item, attempt FROM items").fetchall() == [(1, 2), (2, 2)]


def test_attempts_without_a_recorded_start_cost_nothing_after_a_reboot(bench, monkeypatch):
    other_boot(bench, monkeypatch)
    bench.submit(rows=2)
    bench.tick(3)
    bench.executor = FakeExecutor(bench.executor._script, clock=lambda: bench.now)
    with bench.database.transaction():
        bench.database.execute("DELETE FROM attempts")  # their starts are not recorded, and the ring does not have them
    bench.start()
    assert bench.database.scalar("SELECT count(*) FROM attempts WHERE ending IS NOT NULL") == 0
    assert recovery._starts_file() == bench.database.scalar("SELECT value FROM meta WHERE key = 'starts'")


def test_the_first_engine_of_a_daemon_that_dies_of_its_first_claim_costs_nothing(bench, monkeypatch):
    other_boot(bench, monkeypatch)
    bench.submit(rows=2)
    with monkeypatch.context() as cut, pytest.raises(KeyboardInterrupt):
        cut.setattr(bench.executor, "start", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        bench.start()
    assert bench.states(1) == "rr"
    bench.start()
    assert bench.database.scalar("SELECT count(*) FROM attempts") == 0
    assert bench.database.execute("SELECT item, attempt FROM items").fetchall() == [(1, 1), (2, 1)]


@pytest.mark.parametrize("policy", [Policy(), Policy(slots=1)])
def test_other_items_run_while_one_waits_for_processes_that_cannot_be_ended(tmp_path, policy):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=1)
    bench.submit(rows=3, policy=policy)
    bench.tick(2)
    assert bench.states(1) == "rqq"
    bench.executor = FakeExecutor(lambda _: Play(), clock=lambda: bench.now)
    bench.executor.adopt = lambda: [AttemptId(1, 1, 1)]
    bench.executor._tell(Barred((AttemptId(1, 1, 1),)))
    bench.start()
    bench.tick(8)
    assert bench.states(1) == "rss"
    bench.engine._writer.rebuild()
    bench.tick(2)
    assert bench.states(1) == "rss"
    bench.executor._tell(Lost(1, 1, 1))
    bench.work_off()
    assert bench.database.execute("SELECT item, attempt FROM items").fetchall() == [(1, 2), (2, 1), (3, 1)]


def test_a_polite_stop_does_not_wait_for_processes_that_cannot_be_ended(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True), slots=1)
    bench.submit(rows=1)
    bench.tick(2)
    bench.executor = FakeExecutor(lambda _: Play(), clock=lambda: bench.now)
    bench.executor.adopt = lambda: [AttemptId(1, 1, 1)]
    bench.executor._tell(Barred((AttemptId(1, 1, 1),)))
    bench.start()
    bench.executor.stop(1)
    bench.tick(2)
    assert bench.engine.is_over(bench.now)
    assert bench.states(1) == "r", "the next daemon looks again"


def test_an_outcome_that_is_reported_twice_is_not_acknowledged_before_its_commit(bench, monkeypatch):
    """Attempts that end while an engine starts are reported at their end, and once more when that engine adopts."""
    bench.submit(rows=2)
    bench.tick(3)
    assert bench.states(1) == "rr"
    for item in (1, 2):
        bench.executor.finish(AttemptId(1, item, 1), Play())
    collect = bench.executor.collect
    with monkeypatch.context() as cut, pytest.raises(KeyboardInterrupt):
        cut.setattr(bench.executor, "collect", lambda timeout_s=0: 2 * collect(timeout_s))
        cut.setattr(Writer, "step", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        bench.start(fresh=False)
    bench.start(fresh=False)
    bench.tick(3)
    assert bench.states(1) == "ss"
    assert [dispatch[:3] for dispatch in bench.executor.dispatched] == [(1, 1, 1), (1, 2, 1)]
