"""Options that take a time: the answer has the moment that was meant, and a job keeps a deadline that is a time."""

from __future__ import annotations

import re
import time

import pytest

from jobctl.domain.durations import format_time, parse_time
from jobctl.domain.policy import Policy
from jobctl.domain.selection import Selection
from jobctl.errors import UsageError
from jobctl.process.moment import Moment
from jobctl.services.control.retry import retry
from jobctl.store import clock
from tests.engine.bench import SECOND, Bench
from tests.executors.fake import Play

MOMENT = r"\d{4}-\d\d-\d\d 06:00 [+-]\d\d:\d\d, in "


@pytest.fixture
def submit(jobctl, tmp_path):
    """Submit two rows with some options; returns the answer."""
    rows = tmp_path / "rows.txt"
    rows.write_text("a\nb\n")
    return lambda *options: jobctl("submit", str(rows), *options, "--", "echo", "{}")


def test_submit_says_when_a_job_starts_and_when_it_ends_at_the_latest(submit, jobctl):
    answer = submit("--not-before", "tomorrow 06:00", "--deadline", "tomorrow 06:00").err
    assert re.search(rf"^  starts {MOMENT}", answer, re.MULTILINE)
    assert re.search(rf"^  its deadline is {MOMENT}", answer, re.MULTILINE)
    times = jobctl("status", "1", "--json").document["time"]
    assert times["not_before_at"] == times["deadline_at"]
    assert re.search(r"deadline .* \(in .*not before .* \(in ", jobctl("status", "1").out)


def test_submit_says_that_the_clock_skips_a_time(submit, jobctl, monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        answer = submit("--not-before", "2090-03-26 02:30").err
    finally:
        monkeypatch.setenv("TZ", "UTC")
        time.tzset()
    assert "--not-before: the clock is set forward and skips 02:30 on that day" in answer
    assert "  starts 2090-03-26 03:30 +02:00, in " in answer


def test_a_dry_run_says_the_times_as_well(submit, jobctl):
    assert re.search(rf"^starts {MOMENT}", submit("--dry-run", "--not-before", "tomorrow 06:00").err, re.MULTILINE)
    assert "starts" not in submit("--dry-run").err


def test_a_wait_is_shown_as_a_moment_and_a_start_that_has_passed_means_at_once(submit):
    assert re.search(r"^  starts .*, in 2h$", submit("--not-before", "in 2h").err, re.MULTILINE)
    assert "  may start at once: 2020-01-01 00:00 " in submit("--not-before", "2020-01-01").err


@pytest.mark.parametrize(
    ("option", "text"),
    [("--deadline", "2020-01-01"), ("--deadline", "2h ago"), ("--deadline", "now"), ("--not-before", "yesterday")],
)
def test_a_time_on_the_wrong_side_is_refused_with_the_option(submit, option, text):
    refused = submit(option, text)
    assert refused.code == 2
    assert refused.err.startswith(f"jobctl: {option}: ")
    assert "tomorrow 06:00" in refused.err


def test_set_moves_start_and_deadline_and_says_the_moment(submit, jobctl):
    submit("--not-before", "2h", "--deadline", "3h")
    said = jobctl("set", "1", "not-before=tomorrow 06:00", "deadline=monday 06:00").err
    assert re.search(rf"not-before tomorrow 06:00 \({MOMENT}.*, deadline monday 06:00 \({MOMENT}", said)
    found = jobctl("status", "1", "--json").document
    assert found["policy"]["not_before_s"] is None
    assert found["policy"]["deadline_s"] is None
    assert found["policy"]["deadline_at"] == found["time"]["deadline_at"]
    jobctl("set", "1", "not-before=none", "deadline=none")
    found = jobctl("status", "1", "--json").document
    assert found["time"]["not_before_at"] is found["time"]["deadline_at"] is found["policy"]["deadline_at"] is None


def test_a_recipe_has_a_time_of_the_day(submit, jobctl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "jobctl").mkdir()
    (tmp_path / "jobctl" / "config.toml").write_text('[recipe.night]\nnot-before = "22:00"\ndeadline = "06:00"\n')
    answer = submit("--recipe", "night").err
    assert re.search(r"starts .* 22:00 ", answer)
    assert re.search(rf"its deadline is {MOMENT}", answer)


def test_a_deadline_that_is_a_time_ends_the_job_then_and_no_round_begins_after_it(tmp_path):
    bench = Bench(tmp_path)
    at = bench.now // SECOND * SECOND + 60 * SECOND
    job = bench.submit(rows=2, hold=True, policy=Policy(deadline_at=format_time(at)))
    assert bench.job(job).deadline_at == at
    bench.tick(3, step_us=40 * SECOND)
    bench.work_off()
    assert bench.states(job) == "uu"
    with pytest.raises(UsageError, match="its deadline has passed: ") as refused:
        retry(bench.home, job, Selection(), now=bench.now)
    assert f"retry {job} --deadline" in refused.value.hint


def test_retry_gives_the_round_another_deadline_and_explain_names_both(jobctl, store):
    store.job("ff", state="failed", finished_at=1)
    store.database.execute("UPDATE jobs SET policy = json_set(policy, '$.deadline_at', '2020-01-01T18:00:00.000Z')")
    refused = jobctl("retry", "1")
    assert refused.code == 2
    assert "jobctl retry 1 --deadline 2h" in refused.err
    answer = jobctl("retry", "1", "--deadline", "tomorrow 06:00", "--not-before", "2h").err
    assert re.search(r"deadline \S+ 06:00 \S+ instead of 2020-01-01 18:00 \+00:00", answer)
    assert "not-before 2h instead of none" in answer
    times = jobctl("status", "1", "--json").document["time"]
    assert "T06:00" in times["deadline_at"]
    assert times["not_before_at"]


def test_another_round_has_the_same_deadline_not_the_seconds_that_were_left(tmp_path):
    bench = Bench(tmp_path, script=lambda _: Play(code=1))
    at = bench.now // SECOND * SECOND + 3_600 * SECOND
    job = bench.submit(rows=2, policy=Policy(attempts=1, deadline_at=format_time(at)))
    bench.work_off()
    bench.now += 600 * SECOND
    retry(bench.home, job, Selection(), now=bench.now)
    assert bench.job(job).deadline_at == at
    assert parse_time(bench.job(job).policy.deadline_at) == at


def test_a_deadline_that_is_a_time_does_not_move_with_the_wall_clock(store):
    hour, now = 3_600 * SECOND, 1_800_000_000 * SECOND
    job = store.job("q", deadline_at=now)
    store.database.execute(
        "UPDATE jobs SET policy = json_set(policy, '$.deadline_at', ?) WHERE id = ?", (format_time(now), job)
    )
    for wall in (now, now + hour):
        with store.database.transaction():
            clock.follow(store.database, Moment(wall, 5 * SECOND, "boot"))
    assert store.database.one("SELECT deadline_at FROM jobs") == (now,)
