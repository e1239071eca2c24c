"""Durations in classes and the course of a round: right within their promise, and small whatever comes."""

import itertools
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobctl.domain.figures import FIRST_BUCKET_US, MAX_BUCKETS, Course, Durations, Slow, class_of

HUNDRED_YEARS_US = 100 * 366 * 86_400 * 1_000_000


@given(st.integers(0, HUNDRED_YEARS_US), st.integers(0, HUNDRED_YEARS_US))
def test_classes_ascend_with_durations(one, other):
    assert class_of(min(one, other)) <= class_of(max(one, other))


@pytest.mark.parametrize("share", [0.01, 0.5, 0.95, 0.99])
def test_percentiles_are_right_within_two_and_a_half_percent(share):
    rng = random.Random(7)
    values = [int(rng.lognormvariate(13, 2)) for _ in range(20_001)]
    durations = Durations()
    for start in range(0, len(values), 100):
        durations.add(values[start : start + 100])
    exact = sorted(values)[int(share * (len(values) - 1))]
    assert durations.percentile_us(share) == pytest.approx(exact, rel=0.025)
    assert (durations.max_us, durations.count, durations.total_us) == (max(values), len(values), sum(values))


def test_without_attempts_there_is_no_percentile_and_one_attempt_is_all_of_them():
    durations = Durations()
    durations.add([])
    assert durations.percentile_us(0.5) is None
    durations.add([1_000_003])
    assert durations.percentile_us(0.01) == durations.percentile_us(1) <= durations.max_us == 1_000_003


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 50), st.integers(0, 50)), min_size=1))
def test_a_course_loses_no_item_and_stays_short(steps):
    course, now = Course(1), 10**15
    for passed, succeeded, failed in steps:
        now += passed
        course.add(succeeded, failed, now)
    assert sum(course.succeeded) == sum(s for _, s, _ in steps)
    assert sum(course.failed) == sum(f for _, _, f in steps)
    assert len(course.succeeded) == len(course.failed) <= MAX_BUCKETS
    assert now < course.from_at + len(course.succeeded) * course.bucket_us


def test_spans_double_when_the_last_one_is_full():
    course = Course(1)
    for n in range(MAX_BUCKETS):
        course.add(1, 0, 10**15 + n * FIRST_BUCKET_US)
    assert (len(course.succeeded), course.bucket_us) == (MAX_BUCKETS, FIRST_BUCKET_US)
    course.add(1, 0, 10**15 + MAX_BUCKETS * FIRST_BUCKET_US)
    assert course.bucket_us == 2 * FIRST_BUCKET_US
    assert course.succeeded == [2] * (MAX_BUCKETS // 2) + [1]


def test_a_clock_that_went_back_counts_for_the_beginning():
    course = Course(1)
    course.add(1, 0, 10**15)
    course.add(0, 1, 10**15 - 5_000_000)
    assert (course.succeeded, course.failed) == ([1], [1])


@given(st.lists(st.integers(0, HUNDRED_YEARS_US)))
def test_both_survive_being_stored(values):
    durations, course = Durations(), Course(3)
    durations.add(values)
    course.add(len(values), 1, 10**15)
    assert Durations.from_json(json.loads(json.dumps(durations.to_json()))) == durations
    assert Course.from_json(json.loads(json.dumps(course.to_json()))) == course


def test_the_slowest_are_kept_by_name_and_only_they():
    durations = Durations()
    assert durations.slow_us < 0
    durations.rank([Slow(us, item, 1) for item, us in enumerate([5, 9, 1, 7, 9, 3, 2], 1)])
    assert durations.slowest == [(9, 2, 1), (9, 5, 1), (7, 4, 1), (5, 1, 1), (3, 6, 1)]
    assert durations.slow_us == 3
    durations.rank([Slow(8, 30, 2), Slow(8, 2, 2)])
    assert [slow.item for slow in durations.slowest] == [2, 5, 30, 4, 1]
    assert Durations.from_json(json.loads(json.dumps(durations.to_json()))) == durations


def test_figures_of_an_earlier_store_have_no_slowest():
    stored = Durations().to_json()
    del stored["slowest"]
    assert Durations.from_json(stored).slowest == []


def test_a_hundred_years_of_any_durations_stay_small():
    durations = Durations()
    durations.add(int(1.01**n) for n in range(3_500))
    assert len(durations.classes) < 900


@given(st.lists(st.integers(0, HUNDRED_YEARS_US), min_size=1), st.sampled_from([1, 10, 60]))
def test_bins_hold_every_attempt_and_join(values, limit):
    durations = Durations()
    durations.add(values)
    bins = list(durations.bins(limit))
    assert len(bins) <= limit
    assert bins[0][0] <= max(1, min(values)) * 1.000001 and max(values) < bins[-1][1] * 1.000001
    assert all(left[1] == right[0] for left, right in itertools.pairwise(bins))
    assert sum(count for _, _, count in bins) == len(values)


def test_bins_are_as_wide_as_each_other_on_a_logarithmic_axis():
    durations = Durations()
    durations.add(range(1_000, 100_000, 7))
    bins = list(durations.bins(60))
    assert 30 < len(bins) <= 60
    assert len({round(high / low, 6) for low, high, _ in bins}) == 1
    for low, high, count in bins[1:-1]:
        assert count == pytest.approx((high - low) / 7, abs=2)
