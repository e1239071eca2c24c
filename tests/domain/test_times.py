"""Times as people say them, in the zones and on the days where a wrong rule shows."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobctl.domain.times import (
    coming,
    coming_in_words,
    in_words,
    latest,
    parse_deadline,
    parse_past,
    parse_since,
    parse_start,
    with_offset,
)
from jobctl.errors import UsageError

BERLIN = ZoneInfo("Europe/Berlin")
#: A Monday, half past five in the afternoon.
NOW = datetime(2026, 11, 30, 17, 30, tzinfo=BERLIN)


@pytest.fixture(autouse=True)
def _berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def us(moment):
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def start(text, now=NOW):
    return with_offset(coming(parse_start(text), us(now)))


def past(text, now=NOW):
    return with_offset(parse_since(text, us(now)))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("22:00", "2026-11-30 22:00 +01:00"),
        ("17:30", "2026-12-01 17:30 +01:00"),
        ("6:00", "2026-12-01 06:00 +01:00"),
        ("22:00:30", "2026-11-30 22:00:30 +01:00"),
        ("today 22:00", "2026-11-30 22:00 +01:00"),
        ("Tomorrow  06:00", "2026-12-01 06:00 +01:00"),
        ("tomorrow", "2026-12-01 00:00 +01:00"),
        ("monday 18:00", "2026-11-30 18:00 +01:00"),
        ("monday 06:00", "2026-12-07 06:00 +01:00"),
        ("monday", "2026-12-07 00:00 +01:00"),
        ("tue", "2026-12-01 00:00 +01:00"),
        ("2026-12-01", "2026-12-01 00:00 +01:00"),
        ("2026-12-01 18:00", "2026-12-01 18:00 +01:00"),
        ("2026-12-01T18:00", "2026-12-01 18:00 +01:00"),
        ("2027-07-01 18:00", "2027-07-01 18:00 +02:00"),
        ("2026-12-01T18:00:00Z", "2026-12-01 19:00 +01:00"),
        ("2026-12-01 18:00 +05:30", "2026-12-01 13:30 +01:00"),
        ("2h", "2026-11-30 19:30 +01:00"),
        ("in 2h 30m", "2026-11-30 20:00 +01:00"),
        ("now", "2026-11-30 17:30 +01:00"),
        ("2020-01-01", "2020-01-01 00:00 +01:00"),
    ],
)
def test_a_time_to_come(text, meant):
    assert start(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2h", "2026-11-30 15:30 +01:00"),
        ("2h ago", "2026-11-30 15:30 +01:00"),
        ("now", "2026-11-30 17:30 +01:00"),
        ("22:00", "2026-11-29 22:00 +01:00"),
        ("17:30", "2026-11-30 17:30 +01:00"),
        ("today", "2026-11-30 00:00 +01:00"),
        ("yesterday", "2026-11-29 00:00 +01:00"),
        ("yesterday 18:00", "2026-11-29 18:00 +01:00"),
        ("monday", "2026-11-30 00:00 +01:00"),
        ("monday 18:00", "2026-11-23 18:00 +01:00"),
        ("2026-11-01", "2026-11-01 00:00 +01:00"),
        ("2026-11-30T00:00:00Z", "2026-11-30 01:00 +01:00"),
    ],
)
def test_a_time_that_has_been(text, meant):
    assert past(text) == meant


@pytest.mark.parametrize(
    "text",
    ["", " 12:", "6pm", "25:00", "12:60", "2026-02-30", "12/01/2026", "1.12.2026", "soon", "0001-01-01", "22:00 12"],
)
@pytest.mark.parametrize("parse", [parse_start, parse_past, parse_deadline])
def test_everything_else_is_refused_with_the_forms(text, parse):
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert "22:00" in refused.value.hint
    assert "2026-12-01 18:00" in refused.value.hint


@pytest.mark.parametrize("text", ["2h ago", "yesterday", "yesterday 18:00"])
def test_a_start_is_not_in_the_past(text):
    with pytest.raises(UsageError, match="in the past"):
        parse_start(text)


@pytest.mark.parametrize("text", ["in 2h", "tomorrow", "today 22:00", "2026-12-01", "2026-11-30T17:30:01+01:00"])
def test_what_happened_is_not_in_the_future(text):
    with pytest.raises(UsageError, match="in the future"):
        parse_since(text, us(NOW))


@pytest.mark.parametrize("text", ["now", "0s", "in 0s"])
def test_a_deadline_leaves_time(text):
    with pytest.raises(UsageError, match="leaves no time"):
        parse_deadline(text)


def test_a_time_that_the_clock_skips_is_the_one_after_the_gap():
    eve = datetime(2027, 3, 27, 12, tzinfo=BERLIN)
    assert start("tomorrow 02:30", eve) == "2027-03-28 03:30 +02:00"
    assert start("2027-03-28 02:30", eve) == "2027-03-28 03:30 +02:00"
    assert past("02:30", datetime(2027, 3, 28, 12, tzinfo=BERLIN)) == "2027-03-28 03:30 +02:00"


def test_of_a_time_that_comes_twice_the_first_counts_unless_it_has_passed():
    eve = datetime(2027, 10, 30, 12, tzinfo=BERLIN)
    between = datetime(2027, 10, 31, 1, 0, tzinfo=UTC)
    assert start("tomorrow 02:30", eve) == "2027-10-31 02:30 +02:00"
    assert start("02:30", between) == "2027-10-31 02:30 +01:00"
    assert past("2027-10-31 02:30", datetime(2027, 11, 1, tzinfo=BERLIN)) == "2027-10-31 02:30 +02:00"
    assert past("02:30", datetime(2027, 10, 31, 12, tzinfo=BERLIN)) == "2027-10-31 02:30 +01:00"


def test_a_remark_says_what_the_clock_does():
    def remarked(text, now):
        return coming_in_words(parse_start(text), us(now)).partition("; ")[2]

    eve = datetime(2027, 3, 27, 12, tzinfo=BERLIN)
    assert remarked("tomorrow 02:30", eve) == "the clock is set forward and skips 02:30 on that day"
    assert remarked("tomorrow 03:30", eve) == remarked("2h", eve) == ""
    eve = datetime(2027, 10, 30, 12, tzinfo=BERLIN)
    assert remarked("02:30", eve) == "the clock shows 02:30 twice on that day; this is the first"
    between = datetime(2027, 10, 31, 1, 0, tzinfo=UTC)
    assert remarked("02:30", between).endswith("this is the second")


def test_tomorrow_is_the_next_day_also_where_a_day_has_23_hours():
    assert start("tomorrow 22:00", datetime(2027, 3, 27, 23, 30, tzinfo=BERLIN)) == "2027-03-28 22:00 +02:00"


def test_the_answer_says_how_far_away_a_time_is_and_can_be_typed_again():
    at = coming(parse_start("22:00"), us(NOW))
    assert in_words(at, us(NOW)) == "2026-11-30 22:00 +01:00, in 4h 30m"
    assert in_words(us(NOW), at) == "2026-11-30 17:30 +01:00, 4h 30m ago"
    assert coming(parse_start(with_offset(at)), us(NOW)) == at


@given(st.integers(10**15, 4 * 10**15), st.times().map(lambda at: f"{at:%H:%M}"))
def test_a_time_of_the_day_is_at_most_a_day_and_a_gap_away(now, text):
    a_day = 25 * 3_600 * 1_000_000
    assert now < coming(parse_start(text), now) <= now + a_day
    assert now - a_day <= latest(parse_past(text), now) <= now


@given(st.text(st.sampled_from("0123456789:-+ tzhmsd.agonwmier"), max_size=30))
def test_every_text_is_a_time_or_refused(text):
    for parse, find in ((parse_start, coming), (parse_past, latest)):
        try:
            assert isinstance(find(parse(text), us(NOW)), int)
        except UsageError as error:
            assert error.hint
