"""Values of job options as texts: what is shown can be typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobctl.domain.durations import MAX_DURATION_S, duration_text, parse_duration, parse_size
from jobctl.domain.job_options import BY_NAME, OPTIONS
from jobctl.domain.option_texts import rule_words, size_text, text_of
from jobctl.domain.option_values import read_text

TEXTS = {
    "timeout": ("5m", "1m30s", "250ms", "none"),
    "slots": ("8", "none"),
    "attempts": ("5",),
    "rate": ("60/m", "none"),
    "backoff": ("2sx4..1m", "0sx1..0s"),
    "retry-on": ("1,75",),
    "output-cap": ("64M", "1000", "0"),
    "ionice": ("best-effort:3", "none"),
    "max-failures": ("5%",),
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in TEXTS.items() for text in texts])
def test_a_text_is_read_and_written_alike(name, text):
    option = BY_NAME[name]
    assert text_of(option, read_text(option, text)) == text


@given(st.floats(min_value=1e-6, max_value=MAX_DURATION_S).map(lambda value: round(value, 6)).filter(bool))
def test_every_duration_can_be_typed(seconds):
    assert parse_duration(duration_text(seconds)) == pytest.approx(seconds)


@given(st.integers(min_value=0, max_value=1 << 50))
def test_every_size_can_be_typed(size):
    assert parse_size(size_text(size)) == size


def test_no_list_is_empty():
    assert {text_of(option, ()) for option in OPTIONS if option.name.endswith("retry-on")} == {"none"}


def test_a_changed_rule_in_words():
    assert rule_words({"setting": "timeout", "before": "1m", "after": "2m"}) == "timeout 2m instead of 1m"
    assert rule_words({"setting": "env", "before": "none", "after": "A,B"}) == "other values for A,B"
