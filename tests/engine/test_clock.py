"""The wall clock is set while jobs wait: durations stay what they were."""

import pytest

from jobctl.domain.policy import Backoff, Policy
from jobctl.engine.clock import WallClock
from jobctl.engine.fake import Play
from tests.engine.bench import SECOND, Bench

HOUR = 3600 * SECOND


def test_only_a_clock_that_was_set_has_jumped():
    clock = WallClock(now=1000 * SECOND, steady=5 * SECOND)
    assert clock.jumped(1005 * SECOND, 10 * SECOND) == 0
    assert clock.jumped(1005 * SECOND + 900_000, 11 * SECOND) == 0, "kept right, not set"
    assert clock.jumped(1006 * SECOND + 900_000 - HOUR, 12 * SECOND) == -HOUR
    assert clock.jumped(1007 * SECOND + 900_000 - HOUR, 13 * SECOND) == 0


@pytest.mark.parametrize("jump", [-HOUR, HOUR, -24 * HOUR])
def test_a_retry_waits_as_long_as_before_the_jump(tmp_path, jump, monkeypatch):
    monkeypatch.setattr("jobctl.engine.settling.random.random", lambda: 0.5)  # no retry is due at once
    waiting = Policy(backoff=Backoff(base_s=400, factor=1, cap_s=400))
    bench = Bench(tmp_path, script=lambda d: Play(code=1 if d.attempt == 1 else 0))
    job = bench.submit(rows=3, policy=waiting)
    bench.tick(5)
    assert bench.states(job) == "ttt"
    bench.now += jump
    bench.engine.follow_clock(jump, bench.now)
    bench.tick(2)
    assert bench.states(job) == "ttt", "the jump itself made nothing due"
    bench.now += 401 * SECOND
    bench.tick(5)
    assert bench.states(job) == "sss"


def test_a_deadline_moves_with_the_clock(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(hold=True))
    job = bench.submit(rows=3, policy=Policy(deadline_s=60))
    bench.tick(2)
    bench.now += HOUR
    bench.engine.follow_clock(HOUR, bench.now)
    bench.tick(2)
    assert bench.job(job).stop is None
    bench.now += 61 * SECOND
    bench.tick(2)
    assert bench.job(job).stop == "expired"
