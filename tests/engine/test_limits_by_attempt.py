"""``--timeout 5m,20m,1h``: each attempt has its own time limit, and a new round begins with the first one."""

from __future__ import annotations

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.job_options import BY_NAME
from jobctl.domain.option_values import policy_fields, read_text
from jobctl.domain.policy import MOST_LIMITS, Backoff, Policy, faults_of_policy
from jobctl.domain.selection import Selection
from jobctl.errors import UsageError
from jobctl.services.control import rules
from jobctl.services.control.retry import retry
from tests.engine.bench import SECOND, Bench
from tests.executors.fake import Play

TIMED_OUT = Play(ending=Ending.TIMED_OUT, code=15)
BY_ATTEMPT = Policy(attempts=4, timeout_s=30, timeouts_s=(10, 20, 30), backoff=Backoff(1, 1, 1))


def limits(bench, item):
    """The limits that the executor applies to the attempts of an item, in their order."""
    return [BY_ATTEMPT.timeouts_s[each.limit] for each in bench.executor.dispatched if each.item == item]


def test_each_attempt_has_its_limit_and_the_last_one_counts_for_the_others(tmp_path):
    bench = Bench(tmp_path, script=lambda _: TIMED_OUT)
    job = bench.submit(rows=2, policy=BY_ATTEMPT)
    bench.work_off(step_us=SECOND)
    assert [limits(bench, item) for item in (1, 2)] == [[10, 20, 30, 30]] * 2
    retry(bench.home, job, Selection(), now=bench.now)
    bench.work_off(step_us=SECOND)
    assert limits(bench, 1) == [10, 20, 30, 30] * 2


def test_an_attempt_that_was_interrupted_uses_up_no_limit(tmp_path):
    plays = iter([TIMED_OUT, Play(lost=True), TIMED_OUT, Play()])
    bench = Bench(tmp_path, script=lambda _: next(plays))
    bench.submit(rows=1, policy=BY_ATTEMPT)
    bench.work_off(step_us=SECOND)
    assert limits(bench, 1) == [10, 20, 20, 30]


def test_an_attempt_that_never_started_keeps_its_limit(tmp_path):
    bench = Bench(tmp_path, slots=1, script=lambda _: Play(hold=True))
    job = bench.submit(rows=1, policy=BY_ATTEMPT)
    bench.tick(2)
    bench.executor.recall(job)
    bench.tick(2)
    assert set(limits(bench, 1)) == {10}
    assert bench.job(job).policy == BY_ATTEMPT


def test_a_job_with_one_limit_asks_for_no_budgets(tmp_path, monkeypatch):
    from jobctl.store import items

    bench = Bench(tmp_path)
    bench.submit(rows=50, policy=Policy(timeout_s=5))
    monkeypatch.setattr(items, "budgets", lambda *_: pytest.fail("it costs a query"))
    bench.work_off()
    assert {each.limit for each in bench.executor.dispatched} == {0}


def test_set_changes_limits_by_attempt_into_one_and_back(tmp_path):
    bench = Bench(tmp_path)
    job = bench.submit(rows=1, policy=BY_ATTEMPT)
    rules.set_rules(bench.home, job, {"timeout": "2m"}, now=bench.now)
    assert (bench.job(job).policy.timeout_s, bench.job(job).policy.timeouts_s) == (120, ())
    rules.set_rules(bench.home, job, {"timeout": "1m,5m"}, now=bench.now)
    assert (bench.job(job).policy.timeout_s, bench.job(job).policy.timeouts_s) == (300, (60, 300))
    rules.set_rules(bench.home, job, {"timeout": "none"}, now=bench.now)
    assert (bench.job(job).policy.timeout_s, bench.job(job).policy.timeouts_s) == (None, ())


def test_an_older_version_sees_the_longest_limit_and_its_jobs_have_one():
    stored = BY_ATTEMPT.to_json()
    assert (stored["timeout_s"], list(stored["timeouts_s"])) == (30, [10, 20, 30])
    del stored["timeouts_s"]
    assert Policy.from_json(stored).limit_s(1) == 30


@pytest.mark.parametrize("damaged", [3, "x", [-1], ["5m"], [None], [1.0] * 99])
def test_damaged_limits_are_found(damaged):
    assert "timeouts_s" in faults_of_policy(Policy().to_json() | {"timeouts_s": damaged})


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("5m", {"timeout_s": 300, "timeouts_s": ()}),
        ("5m,20m,1h", {"timeout_s": 3600, "timeouts_s": (300, 1200, 3600)}),
        ("1h, 5m", {"timeout_s": 3600, "timeouts_s": (3600, 300)}),
        ("5m,5m", {"timeout_s": 300, "timeouts_s": ()}),
        ("none", {"timeout_s": None, "timeouts_s": ()}),
    ],
)
def test_a_text_becomes_limits(text, fields):
    option = BY_NAME["timeout"]
    assert policy_fields(option, read_text(option, text), 0) == fields


@pytest.mark.parametrize("text", ["5m,", ",5m", "5m,none", "5m;20m", "5m,0", ",".join(["1m"] * (MOST_LIMITS + 1))])
def test_a_text_that_is_not_a_list_of_limits_is_refused(text):
    with pytest.raises(UsageError):
        read_text(BY_NAME["timeout"], text)


def test_too_many_limits_are_refused_for_their_number():
    with pytest.raises(UsageError, match="more than 32 time limits"):
        read_text(BY_NAME["timeout"], ",".join(["1m"] * 10_000))
