"""Messages with facts: what to type without a daemon, a duration as it was given, a store that is new."""

from __future__ import annotations

import pytest

from jobctl.domain.durations import format_given
from jobctl.render.explain import explain_lines
from jobctl.render.look import Look

AT = "2026-11-23T18:00:00Z"


@pytest.mark.parametrize(
    ("state", "values", "wanted"),
    [
        ("running", {}, "jobctl daemon start"),
        ("paused", {"paused_at": 1}, "jobctl resume 1"),
    ],
)
def test_no_wait_for_a_job_that_no_daemon_runs(jobctl, store, state, values, wanted):
    store.job("fq", state=state, started_at=1, **values)
    assert jobctl("explain", "1.1", "--json").document["next"][-1] == wanted


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((2_592_000, "30d"), (129_600, "1d 12h"), (7_200, "2h"), (90, "1m 30s"), (300, "5m"), (10, "10s")),
        *((0, "0s"), (0.5, "500ms"), (86_460, "1d")),
    ],
)
def test_a_given_duration_is_printed_as_people_write_it(seconds, text):
    assert format_given(seconds) == text


def test_prune_says_its_limit_as_it_was_given(jobctl, store):
    store.job("q")
    assert "done for more than 30d would be removed" in jobctl("prune", "--dry-run").err


def test_processes_left_behind_are_named_once(jobctl, store):
    store.job("f", state="failed", started_at=1, finished_at=2)
    document = jobctl("explain", "1.1", "--json").document
    said = "it left 1 process behind: 7 sleep"
    attempt = {"attempt": 1, "round": 1, "slot": 1, "started_at": AT, "duration_s": 1.0, "message": said}
    left = {"left_behind": {"processes": 1, "names": "7 sleep"}}
    for outcome, times in (("leftovers", 1), ("exit_1", 2)):
        document["attempts"] = [attempt | left | {"outcome": outcome}]
        assert "\n".join(explain_lines(document, Look(terminal=False))).count("7 sleep") == times


@pytest.mark.parametrize("command", ["submit"])
def test_a_new_database_among_files_of_old_jobs_is_reported(jobctl, home, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("id\n1\n")
    (tmp_path / "bad.csv").write_text("id,x\n1\n")
    for job in (3, 8):
        home.job_logs(job).mkdir(parents=True, mode=0o700)
        (home.job_logs(job) / "out").write_text("x")
    assert "database" not in jobctl(command, "bad.csv", "-q", "--", "true").err
    done = jobctl(command, "rows.csv", "-q", "--", "true")
    assert (done.code, done.out) == (0, "9\n")
    assert "was gone; a new one was made, which does not know 2 jobs whose files are still there" in done.err
    assert "was gone" not in jobctl(command, "rows.csv", "--", "true").err
