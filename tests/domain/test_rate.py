"""Rates and the bucket that keeps them."""

import pytest

from jobctl.domain.rate import TokenBucket, parse_rate
from jobctl.errors import UsageError


@pytest.mark.parametrize(
    ("text", "per_s"), [("100/s", 100), ("60/m", 1), ("7200/h", 2), ("5/10s", 0.5), ("1.5 / min", 0.025)]
)
def test_rates(text, per_s):
    assert parse_rate(text) == pytest.approx(per_s)


@pytest.mark.parametrize("text", ["", "fast", "0/s", "-1/s", "10", "10/x", "10/0s"])
def test_a_text_that_is_not_a_rate_is_refused_with_the_forms(text):
    with pytest.raises(UsageError, match="not a rate") as caught:
        parse_rate(text)
    assert "100/s" in caught.value.hint


def run(bucket, until_s, step_us=10_000):
    started, now = 0, bucket.at
    end = now + int(until_s * 1e6)
    while now <= end:
        count = bucket.available(now)
        bucket.take(count)
        started += count
        now += step_us
    return started


def test_it_lets_through_its_rate_after_the_first_second():
    bucket = TokenBucket.restore("100/s", None, None, 0)
    assert 1090 <= run(bucket, 10) <= 1101


def test_a_slow_rate_starts_with_one():
    bucket = TokenBucket.restore("60/m", None, None, 0)
    assert run(bucket, 9.999) == 10


def test_a_restart_forgets_nothing():
    bucket = TokenBucket.restore("60/m", None, None, 0)
    bucket.take(bucket.available(0))
    again = TokenBucket.restore("60/m", bucket.tokens, bucket.at, 400_000)
    assert again.available(400_000) == 0
    assert again.next_at() == pytest.approx(1_000_000, abs=10)
    assert again.available(again.next_at()) == 1


def test_a_clock_that_jumps_back_gives_nothing_away():
    bucket = TokenBucket.restore("1/s", None, None, 10_000_000)
    bucket.take(bucket.available(10_000_000))
    assert bucket.available(5_000_000) == 0
    assert bucket.available(6_100_000) == 1
