"""Durations in classes and the course of a round: right within their promise, and small whatever comes."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobctl.domain.figures import FIRST_BUCKET_US, MAX_BUCKETS, Course, Durations, class_bounds, class_of

HUNDRED_YEARS_US = 100 * 366 * 86_400 * 1_000_000


@given(st.integers(0, HUNDRED_YEARS_US))
def test_a_duration_lies_in_its_class_and_classes_are_narrow(us):
    low, high = class_bounds(class_of(us))
    assert low <= us < high
    assert high - low <= max(1, low / 16)


@given(st.integers(0, 2_000))
def test_classes_join_without_gaps(index):
    low, high = class_bounds(index)
    assert (class_of(low), class_of(high - 1), class_of(high)) == (index, index, index + 1)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.95, 0.99])
def test_percentiles_are_right_within_three_percent(share):
    rng = random.Random(7)
    values = [int(rng.lognormvariate(13, 2)) for _ in range(20_001)]
    durations = Durations()
    for start in range(0, len(values), 100):
        durations.add(values[start : start + 100])
    exact = sorted(values)[int(share * (len(values) - 1))]
    assert durations.percentile_us(share) == pytest.approx(exact, rel=0.04)
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


def test_a_hundred_years_of_any_durations_stay_small():
    durations = Durations()
    durations.add(int(1.01**n) for n in range(3_500))
    assert len(durations.classes) < 900
