"""The time without a daemon does not count as active."""

import pytest

from jobctl.services.control import pause
from jobctl.services.status.document import job_document
from tests.engine.bench import SECOND, Bench
from tests.executors.fake import FakeExecutor, Play

HOUR = 3600 * SECOND


def _dies(bench):
    """Everything ends at once; it had run for 100 s."""
    bench.engine = None
    bench.executor = FakeExecutor(lambda _: Play(hold=True), clock=lambda: bench.now)


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    bench.job_number = bench.submit(rows=2)
    bench.tick(2)
    bench.tick(10, step_us=10 * SECOND)
    return bench


def _active_s(bench):
    return job_document(bench.database, bench.home, bench.job_number, bench.now)["time"]["active_s"]


def test_an_attempt_that_was_cut_off_ends_with_the_last_sign_of_its_daemon(bench):
    _dies(bench)
    bench.now += 8 * HOUR
    bench.tick(3)
    durations = bench.database.execute("SELECT duration_us FROM attempts WHERE ending = 4").fetchall()
    assert len(durations) == 2
    assert all(abs(duration - 100 * SECOND) < 6 * SECOND for (duration,) in durations)


def test_an_engine_that_dies_before_it_has_taken_over_forgets_nothing(bench, monkeypatch):
    _dies(bench)
    bench.now += 8 * HOUR
    with monkeypatch.context() as broken:
        broken.setattr("jobctl.engine.writing.Writer.step", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            bench.start()
    bench.now += HOUR
    bench.start()
    bench.tick(2)
    assert bench.database.execute("SELECT max(duration_us) < 106000000 FROM attempts WHERE ending = 4").fetchone() == (
        1,
    )
    assert _active_s(bench) == pytest.approx(100, abs=7)


def test_the_active_time_of_a_job_does_not_grow(bench):
    _dies(bench)
    bench.now += 8 * HOUR
    assert _active_s(bench) == pytest.approx(100, abs=7), "while there is no daemon"
    bench.tick(2)
    assert _active_s(bench) == pytest.approx(100, abs=7), "afterwards"
    bench.tick(5, step_us=10 * SECOND)
    assert _active_s(bench) == pytest.approx(150, abs=7)


def test_an_engine_whose_items_went_on_takes_nothing_off(bench):
    bench.engine = None
    bench.now += 60 * SECOND
    bench.start(fresh=False)
    bench.tick(2)
    assert _active_s(bench) == pytest.approx(160, abs=2)


@pytest.mark.parametrize("resumed", ["before the start", "after the start"])
@pytest.mark.parametrize("paused", ["before the death", "after the death"])
def test_a_pause_within_it_is_taken_off_once(bench, paused, resumed):
    def pause_it():
        pause.pause(bench.home, [bench.job_number], reason="", now=bench.now)

    if paused == "before the death":
        pause_it()
        bench.tick(1)
    _dies(bench)
    bench.now += HOUR
    if paused == "after the death":
        pause_it()
    bench.now += HOUR
    if resumed == "before the start":
        pause.resume(bench.home, [bench.job_number], now=bench.now)
        bench.now += HOUR
        bench.tick(2)
    else:
        bench.tick(2)
        bench.now += HOUR
        pause.resume(bench.home, [bench.job_number], now=bench.now)
    bench.tick(1, step_us=30 * SECOND)
    assert _active_s(bench) == pytest.approx(130, abs=8)


def test_a_wrong_clock_meanwhile_does_not_matter(bench):
    _dies(bench)
    bench.now += HOUR
    bench.set_clock(-50 * HOUR)
    bench.tick(2)
    assert _active_s(bench) == pytest.approx(100, abs=7)
