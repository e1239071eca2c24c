"""Another round with other rules: they count from its first item on, and every round's rules stay readable."""

from __future__ import annotations

import json

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.job_options import BY_NAME, OPTIONS
from jobctl.domain.option_values import read_text
from jobctl.domain.policy import Policy
from jobctl.domain.selection import Selection
from jobctl.errors import UsageError
from jobctl.render.explain import explain_lines
from jobctl.render.look import Look
from jobctl.services.control import rules
from jobctl.services.control.retry import retry, retry_all
from jobctl.services.control.targets import Target
from jobctl.services.why.explain import explain
from tests.engine.bench import SECOND, Bench
from tests.executors.fake import Play

#: For each option that retry takes: a text, and the policy or the row of the job with it.
GIVEN = {
    "priority": ("7", lambda row: row.priority == 7),
    "slots": ("1", lambda row: row.policy.slots == 1),
    "timeout": ("10m", lambda row: row.policy.timeout_s == 600),
    "attempts": ("5", lambda row: row.policy.attempts == 5),
    "nice": ("3", lambda row: row.policy.nice == 3),
    "ionice": ("none", lambda row: row.policy.ionice is None),
    "env": (("COLOUR=red",), lambda row: row.env["COLOUR"] == "red"),
    "retry-on": ("3,4", lambda row: row.policy.retry_on == (3, 4)),
    "no-retry-on": ("9", lambda row: row.policy.no_retry_on == (9,)),
    "backoff": ("1s", lambda row: row.policy.backoff.base_s == 1),
    "grace": ("2s", lambda row: row.policy.grace_s == 2),
    "max-failures": ("5%", lambda row: row.policy.max_failures == "5%"),
    "halt": ("now", lambda row: row.policy.halt == "now"),
    "not-before": ("2s", lambda row: row.policy.not_before_s == 2 and row.not_before_at == row.round_at + 2 * SECOND),
    "deadline": ("2h", lambda row: row.policy.deadline_s == 7200 and row.deadline_at == row.round_at + 7200 * SECOND),
    "leftovers": ("end", lambda row: row.policy.leftovers == "end"),
    "rate": ("60/m", lambda row: row.policy.rate == "60/m"),
    "output-cap": ("1M", lambda row: row.policy.output_cap == 1 << 20),
}


def values(**texts):
    """The values of options as the command reads them; a name has _ for -."""
    options = {BY_NAME[name.replace("_", "-")]: text for name, text in texts.items()}
    return {option: text if option.multiple else read_text(option, text) for option, text in options.items()}


def failed_job(tmp_path, **policy):
    bench = Bench(tmp_path, script=lambda _: Play(code=7, err=b"no luck\n"))
    job = bench.submit(rows=3, policy=Policy(attempts=1, **policy))
    bench.work_off()
    return bench, job


def explained(bench, job, item=None):
    return explain(bench.database, bench.home, Target(job, item), bench.now)


def test_every_rule_of_the_table_is_given():
    assert set(GIVEN) == {option.name for option in OPTIONS if option.of_retry}
    assert {option.name for option in OPTIONS if option.effect} < set(GIVEN)


@pytest.mark.parametrize("name", GIVEN)
def test_a_rule_counts_for_the_new_round(tmp_path, name):
    bench, job = failed_job(tmp_path)
    text, is_set = GIVEN[name]
    (retried,) = retry_all(bench.home, {job: Selection()}, values(**{name: text}), now=bench.now)
    row = bench.job(job)
    assert is_set(row)
    assert (row.round, row.state, retried.policy) == (2, "queued", row.policy)
    bench.tick(2)
    assert is_set(bench.engine._parts.live_jobs.get(job).row)
    bench.work_off(step_us=SECOND)
    assert bench.job(job).policy == row.policy


def test_the_other_rules_stay_and_several_jobs_get_them_together(tmp_path):
    bench, job = failed_job(tmp_path, slots=2, rate="50/s")
    other = bench.submit(rows=1, policy=Policy(attempts=1, timeout_s=3))
    bench.work_off()
    answers = retry_all(bench.home, {job: Selection(), other: Selection()}, values(timeout="1m"), now=bench.now)
    assert [answer.sentence for answer in answers] == [
        f"job {job}: round 2, 3 items queued again; timeout 1m instead of none",
        f"job {other}: round 2, 1 item queued again; timeout 1m instead of 3s",
    ]
    assert bench.job(job).policy == Policy(attempts=1, slots=2, rate="50/s", timeout_s=60)


def test_the_executor_gets_the_limit_of_the_new_round(tmp_path):
    limits = []
    bench = Bench(tmp_path, script=lambda _: Play(ending=Ending.TIMED_OUT, code=15))
    define = bench.executor.define
    bench.executor.define = lambda spec: (limits.append(spec.timeout_s), define(spec))
    job = bench.submit(rows=2, policy=Policy(attempts=1, timeout_s=5))
    bench.work_off()
    retry_all(bench.home, {job: Selection()}, values(timeout="10s"), now=bench.now)
    bench.work_off()
    assert (limits[0], limits[-1]) == (5, 10)


def test_explain_has_the_rules_of_three_rounds_and_the_changes_between_them(tmp_path):
    bench, job = failed_job(tmp_path, timeout_s=60)
    retry_all(bench.home, {job: Selection()}, values(timeout="2m", attempts="2", env=("KEY=secret",)), now=bench.now)
    bench.tick(1)
    rules.set_rules(bench.home, job, {"slots": "1"}, now=bench.now)
    bench.work_off(step_us=SECOND)
    retry(bench.home, job, Selection(), now=bench.now)
    first, second, third = explained(bench, job)["rounds"]
    limits = [
        (each["policy"]["timeout_s"], each["policy"]["attempts"], each["policy"]["slots"])
        for each in (first, second, third)
    ]
    assert limits == [(60, 1, None), (120, 2, None), (120, 2, 1)]
    assert [each["round"] for each in (first, second, third)] == [1, 2, 3]
    assert [each["items"] for each in (first, second, third)] == [None, 3, 3]
    assert [(change["setting"], change["before"], change["after"]) for change in second["changes"]] == [
        ("timeout", "1m", "2m"),
        ("attempts", "1", "2"),
        ("env", "none", "KEY"),
        ("slots", "none", "1"),
    ]
    assert (first["changes"], third["changes"]) == ([], [])
    assert "secret" not in json.dumps(explained(bench, job))
    assert explained(bench, job, 1)["rounds"] == []


def test_a_change_by_an_older_version_leaves_the_rules_before_it_unknown(tmp_path):
    bench, job = failed_job(tmp_path)
    retry_all(bench.home, {job: Selection()}, values(timeout="2m"), now=bench.now)
    rules.set_rules(bench.home, job, {"slots": "1"}, now=bench.now)
    bench.database.execute("UPDATE journal SET data = '{}' WHERE event = 'rules_changed'")
    first, second = explained(bench, job)["rounds"]
    assert (first["policy"]["timeout_s"], second["policy"]) == (None, None)


@pytest.mark.parametrize(
    "data",
    [
        *("[]", "{", '{"rules": 3}', '{"rules": [7, {}], "policy_before": 4}', '{"round": "x"}'),
        *('{"policy_before": {}}', '{"policy_before": {"slots": "x", "attempts": null, "resources": 3}}'),
    ],
)
def test_a_damaged_line_of_the_journal_breaks_nothing(tmp_path, data):
    bench, job = failed_job(tmp_path)
    retry_all(bench.home, {job: Selection()}, values(timeout="2m"), now=bench.now)
    bench.database.execute("UPDATE journal SET data = ? WHERE event = 'retried'", (data,))
    document = explained(bench, job)
    assert len(document["rounds"]) == 2
    assert list(explain_lines(document, Look(80, 24)))


def test_variables_are_added_replaced_and_taken_from_the_daemon(tmp_path):
    bench, job = failed_job(tmp_path)
    given = values(env=("COLOUR=red", "TOKEN"))
    retry_all(bench.home, {job: Selection()}, given, now=bench.now)
    row = bench.job(job)
    assert (row.env["COLOUR"], row.env_names) == ("red", ["TOKEN"])
    bench.work_off()
    retry_all(bench.home, {job: Selection()}, values(env=("COLOUR", "TOKEN=t")), now=bench.now)
    row = bench.job(job)
    assert ("COLOUR" in row.env, row.env["TOKEN"], row.env_names) == (False, "t", ["COLOUR"])


@pytest.mark.parametrize("name", ["A B=c", "JOBCTL_X=1", "=x"])
def test_a_variable_that_no_item_can_have_changes_nothing(tmp_path, name):
    bench, job = failed_job(tmp_path)
    before = bench.job(job)
    with pytest.raises(UsageError, match="--env"):
        retry_all(bench.home, {job: Selection()}, values(env=(name,)), now=bench.now)
    assert bench.job(job) == before


def test_an_environment_that_is_too_large_changes_nothing(tmp_path):
    bench, job = failed_job(tmp_path)
    large = tuple(f"V{n}={'x' * 100_000}" for n in range(20))
    with pytest.raises(UsageError, match="the environment of the items has"):
        retry_all(bench.home, {job: Selection()}, values(env=large), now=bench.now)
    assert (bench.job(job).round, bench.states(job)) == (1, "fff")


def test_set_on_a_job_that_is_done_names_the_retry_with_these_settings(tmp_path):
    bench, job = failed_job(tmp_path)
    with pytest.raises(UsageError) as caught:
        rules.set_rules(bench.home, job, {"timeout": "2m", "max_failures": "5 %".replace(" ", "")}, now=bench.now)
    assert caught.value.message == f"job {job} is done (failed): its rules count only for a new round"
    assert caught.value.hint.endswith(f"jobctl retry {job} --timeout 2m --max-failures 5%")
    with pytest.raises(UsageError, match="timeout=soon"):
        rules.set_rules(bench.home, job, {"timeout": "soon"}, now=bench.now)
