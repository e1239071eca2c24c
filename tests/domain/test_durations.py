"""Durations, sizes and times as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobctl.domain.durations import decimal, format_duration, format_time, parse_duration, parse_size, parse_time
from jobctl.errors import UsageError

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("5m", 300),
        ("2h30m", 9_000),
        ("1d", 86_400),
        ("1d2h3m4s", 93_784),
        ("500ms", 0.5),
        ("1s500ms", 1.5),
        ("1.5h", 5_400),
        (" 10M ", 600),
        ("0.25", 0.25),
    ],
)
def test_durations_are_read(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", " ", "-5", "5x", "m", "5 m", "30m2h", "1e3", "5mm", "nan", "inf", "١s", "5s5s", "."]
)
def test_a_text_that_is_not_a_duration_is_refused_with_the_forms(text):
    with pytest.raises(UsageError) as caught:
        parse_duration(text)
    assert repr(text) in caught.value.message
    assert "2h30m" in caught.value.hint


def test_zero_is_allowed_only_on_request():
    with pytest.raises(UsageError, match="longer than zero"):
        parse_duration("0s")
    assert parse_duration("0s", allow_zero=True) == 0


def test_a_duration_that_no_clock_holds_is_refused():
    with pytest.raises(UsageError, match="100 years"):
        parse_duration("99999999d")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.000001, "0.01ms"),
        (0.000074, "0.07ms"),
        (0.0004, "0.4ms"),
        (0.00096, "1ms"),
        (0.42, "420ms"),
        (0.9996, "1s"),
        (4.2, "4.2s"),
        (9.96, "10s"),
        (59.7, "1m 00s"),
        (64, "1m 04s"),
        (7_500, "2h 05m"),
        (86_400 * 3 + 4 * 3600, "3d 04h"),
        (-64, "-1m 04s"),
    ],
)
def test_durations_are_formatted(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "size"),
    [("4096", 4096), ("64K", 65_536), ("64M", 64 << 20), ("2GiB", 2 << 30), ("1.5k", 1536), ("10 MB", 10 << 20)],
)
def test_sizes_are_read(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "M", "-1", "64X", "1e9", "64 M M", "9999999T"])
def test_a_text_that_is_not_a_size_is_refused(text):
    with pytest.raises(UsageError):
        parse_size(text)


def test_times_are_utc_with_milliseconds():
    assert format_time(1_795_458_511_004_999) == "2026-11-23T18:28:31.004Z"
    assert format_time(0) == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    "text",
    ["2026-11-23T18:28:31Z", "2026-11-23t18:28:31.000z", "2026-11-23 19:28:31+01:00", "2026-11-23T13:58:31-04:30"],
)
def test_one_moment_has_many_spellings(text):
    assert parse_time(text) == 1_795_458_511 * SECOND


@pytest.mark.parametrize("text", ["", "2026-11-23", "2026-11-23T18:28:31", "2026-13-01T00:00:00Z", "tomorrow"])
def test_a_time_needs_a_date_a_clock_and_a_zone(text):
    with pytest.raises(UsageError):
        parse_time(text)


@given(st.integers(min_value=-(10**15), max_value=10**17))
def test_a_formatted_time_is_read_back_to_the_millisecond(us):
    assert parse_time(format_time(us)) == us // 1000 * 1000


@pytest.mark.parametrize(
    ("value", "text"), [(3.8e-05, "0.000038"), (1e-06, "0.000001"), (0.0, "0.0"), (0.25, "0.25"), (143.0, "143.0")]
)
def test_a_number_for_tables_has_no_exponent(value, text):
    assert decimal(value) == text
    assert float(text) == value
