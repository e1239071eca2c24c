"""A retry that is suggested is never one that can only fail again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobctl.domain.durations import MAX_DURATION_S, parse_duration, parse_time
from jobctl.domain.policy import Policy
from jobctl.domain.retry_advice import CAUSES, Advice, longer, retry_advice, retry_command

NOW = parse_time("2026-12-01T00:00:00Z")


@pytest.mark.parametrize(
    ("policy", "causes", "is_expired", "options", "word"),
    [
        (Policy(timeout_s=60), ["timeout", "exit_1"], False, ("--timeout", "2m"), "longer time limit"),
        (Policy(timeout_s=60), ["exit_1"], False, (), ""),
        (Policy(), ["timeout"], False, (), ""),  # the limit was taken away since
        (Policy(deadline_s=3600), [], True, ("--deadline", "2h"), "later deadline"),
        (Policy(deadline_s=3600), [], False, (), ""),
        (Policy(deadline_at="2026-11-30T18:00:00Z"), [], False, ("--deadline", "none"), "which has passed"),
        (Policy(deadline_at="2036-11-30T18:00:00Z"), [], False, (), ""),
        (Policy(timeout_s=50, deadline_s=600), ["timeout"], True, ("--timeout", "2m", "--deadline", "20m"), "; "),
        (Policy(slots=8), ["sigkill"], False, ("--slots", "4"), "memory"),
        (Policy(slots=3), ["sigkill"], False, ("--slots", "1"), "memory"),
        (Policy(slots=1), ["sigkill"], False, (), ""),
        (Policy(), ["sigkill"], False, (), "--slots N"),
        (Policy(), ["exit_127"], False, (), "the command was not found"),
        (Policy(), ["not_started"], False, (), "the command was not found"),
        (Policy(), ["env_missing"], False, (), "--env NAME=VALUE"),
    ],
)
def test_the_rules_and_the_words_for_each_cause(policy, causes, is_expired, options, word):
    found = retry_advice(policy, causes, "expired" if is_expired else "partial", NOW)
    assert found.options == options
    assert word in found.note if word else found.note == ""


@given(st.floats(min_value=0.001, max_value=MAX_DURATION_S))
def test_a_longer_limit_is_at_least_double_and_can_be_typed(limit_s):
    text = retry_advice(Policy(timeout_s=limit_s), CAUSES, "failed", NOW).options[1]
    assert parse_duration(text) == longer(limit_s) >= min(2 * limit_s, MAX_DURATION_S)


@pytest.mark.parametrize(
    ("limit_s", "found"), [(0.25, 1), (1, 2), (4, 10), (45, 120), (60, 120), (90, 180), (3000, 7200), (86_400, 172_800)]
)
def test_a_longer_limit_is_round(limit_s, found):
    assert longer(limit_s) == found


def test_a_command_for_several_jobs_gives_each_its_own_rules():
    slow = Advice(("--timeout", "2m"))
    before = [(1, Advice()), (2, slow), (3, Advice())]
    assert retry_command("jobctl", 9, Advice(), before=before[:1]) == "jobctl retry 1 9"
    assert retry_command("jobctl", 9, Advice(), before=before, more=("--unknown",)) == (
        "jobctl retry 1 3 && jobctl retry 2 --timeout 2m && jobctl retry 9 --unknown"
    )
    assert retry_command("jobctl", 9, slow) == "jobctl retry 9 --timeout 2m"
