"""The speed of a job: the smoothed rate behind every estimate, with numbers."""

import random

import pytest

from jobctl.domain.policy import Backoff, Policy
from jobctl.engine.jobs.pace import Pace
from jobctl.services.control import pause
from jobctl.store.views import jobs as job_views
from tests.engine.bench import SECOND, Bench
from tests.executors.fake import Play


def paced(items, each_s, pace=None, at=0, count=1):
    """A pace after ``outcomes`` outcomes, ``count`` of them every ``each_s`` seconds, and the time then."""
    if pace is None:
        pace = Pace()
        pace.rest(at)
    for _ in range(items // count):
        at += int(each_s * SECOND)
        pace.processed(count, at)
    return pace, at


@pytest.mark.parametrize(
    ("items", "each_s", "count", "rate"),
    [
        (1000, 0.01, 1, 100),
        (100_000, 0.05, 1000, 20_000),
        (40, 0.5, 1, 2),
        (40, 30, 1, 1 / 30),
        (5, 600, 1, 1 / 600),  # a window of half a minute would say 20 times that
    ],
)
def test_a_steady_rate_is_found_whatever_the_items_are_like(items, each_s, count, rate):
    assert paced(items, each_s, count=count)[0].rate_per_s() == pytest.approx(rate, rel=0.001)


def test_the_first_outcomes_are_counted_with_the_time_they_took():
    pace = Pace()
    pace.rest(0)
    pace.processed(4, 2 * SECOND)
    assert pace.rate_per_s() == pytest.approx(2)


def test_there_is_no_rate_in_the_first_second_nor_without_items():
    pace, at = paced(5, 0.01)
    assert pace.rate_per_s() is None
    pace, _ = paced(0, 1)
    pace.processed(0, 60 * SECOND)
    assert pace.rate_per_s() is None
    assert at < SECOND


def test_a_change_of_speed_is_followed_within_a_minute():
    pace, at = paced(6000, 0.01)
    pace, _ = paced(120, 0.5, pace, at)
    assert pace.rate_per_s() == pytest.approx(2, rel=8)
    pace, at = paced(6000, 0.01)
    pace, _ = paced(600, 0.5, pace, at)
    assert pace.rate_per_s() == pytest.approx(2, rel=0.05)


def test_slow_items_need_twenty_of_them_to_change_the_rate():
    pace, at = paced(100, 60)
    pace, at = paced(2, 10, pace, at)
    assert pace.rate_per_s() < 1.2 / 60
    pace, at = paced(60, 10, pace, at)
    assert pace.rate_per_s() == pytest.approx(1 / 10, rel=0.25)


def test_a_rest_changes_nothing():
    pace, at = paced(100, 0.5)
    pace.rest(at + 3600 * SECOND)
    pace, _ = paced(1, 0.5, pace, at + 3600 * SECOND)
    assert pace.rate_per_s() == pytest.approx(2)


def test_a_clock_that_goes_back_changes_little():
    pace, at = paced(100, 0.5)
    pace, _ = paced(20, 0.5, pace, at - 3600 * SECOND)
    assert pace.rate_per_s() == pytest.approx(2, rel=0.2)


def stored_rate(bench, job):
    """The rate that the engine recorded for the status."""
    return job_views.job(bench.database, job).rate_per_s


def test_the_engine_measures_real_concurrency(tmp_path):
    for slots in (1, 4):
        bench = Bench(tmp_path / str(slots), slots=slots, script=lambda _: Play(duration_us=SECOND))
        bench.root.mkdir(exist_ok=True)
        job = bench.submit(rows=400)
        bench.tick(30, step_us=SECOND)
        before = bench.job(job).counts.succeeded
        bench.tick(30, step_us=SECOND)
        real = (bench.job(job).counts.succeeded - before) / 30
        assert stored_rate(bench, job) == pytest.approx(real, rel=0.2)


def test_a_pause_does_not_count(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(duration_us=SECOND))
    job = bench.submit(rows=400)
    bench.tick(40, step_us=SECOND)
    before = stored_rate(bench, job)
    pause.pause(bench.home, [job], reason="", now=bench.now)
    bench.tick(200, step_us=5 * SECOND)
    pause.resume(bench.home, [job], now=bench.now)
    bench.tick(3, step_us=SECOND)
    assert stored_rate(bench, job) == pytest.approx(before, rel=0.25)


@pytest.mark.slow
def test_waiting_for_retries_alone_does_not_count(tmp_path):
    random.seed(7)  # where within their backoff the retries are due
    bench = Bench(tmp_path, script=lambda d: Play(code=int(d.attempt == 1 and d.item > 40), duration_us=SECOND))
    job = bench.submit(rows=44, policy=Policy(backoff=Backoff(base_s=20_000, factor=1, cap_s=20_000)))
    bench.tick(60, step_us=SECOND)
    before = stored_rate(bench, job)
    assert bench.job(job).counts.retrying
    began = bench.now
    while bench.job(job).counts.succeeded == 40:
        bench.tick(1, step_us=5 * SECOND)
    assert bench.job(job).counts.retrying
    assert bench.now - began > 60 * SECOND
    assert stored_rate(bench, job) == pytest.approx(before, rel=0.5)


def test_a_rate_limit_does(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(duration_us=10_000))
    job = bench.submit(rows=400, policy=Policy(rate="30/m"))
    bench.tick(1000, step_us=100_000)
    assert 0.4 < stored_rate(bench, job) < 1.2
