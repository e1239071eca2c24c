"""submit and cancel without a daemon: what is printed where, what is stored."""

from __future__ import annotations

import json

import pytest

from jobctl.store.opening.open import open_database


@pytest.fixture(autouse=True)
def rows(tmp_path, monkeypatch):
    (tmp_path / "rows.csv").write_text("id,url\n1,a\n2,b\n3,c\n")
    monkeypatch.chdir(tmp_path)


def test_standard_output_is_the_number_alone(jobctl):
    done = jobctl("submit", "rows.csv", "--", "true", "{id}")
    assert (done.code, done.out) == (0, "1\n")
    assert "job 1 (rows): 3 items accepted" in done.err
    assert "jobctl daemon start" in done.err
    assert "jobctl status 1 --watch" in done.err
    quiet = jobctl("submit", "-q", "rows.csv", "--", "true")
    assert (quiet.out, quiet.err) == ("2\n", "")


def test_with_json_the_document_of_the_job(jobctl):
    document = jobctl("submit", "rows.csv", "--json", "--name", "n", "--", "true").document
    assert (document["schema"], document["name"], document["counts"]["queued"]) == ("jobctl.status/1", "n", 3)


@pytest.mark.parametrize("line", ["rows.csv -- echo -x -- {id}", "rows.csv -j 2 -- echo -x -- {id}"])
def test_words_after_the_separator_are_stored_untouched(jobctl, line):
    jobctl("submit", *line.split())
    assert jobctl("status", "1", "--json").document["command"] == ["echo", "-x", "--", "{id}"]


def test_without_a_separator_options_of_the_command_are_its_own(jobctl):
    jobctl("submit", "rows.csv", "--attempts", "2", "sleep", "--timeout", "5", "{id}")
    document = jobctl("status", "1", "--json").document
    assert document["command"] == ["sleep", "--timeout", "5", "{id}"]
    assert (document["policy"]["timeout_s"], document["policy"]["attempts"]) == (None, 2)


def test_options_reach_the_job(jobctl, tmp_path):
    (tmp_path / "env").write_text("SECRET=1\n")
    jobctl(
        *("submit", "rows.csv", "--name", "n", "--slots", "3", "--timeout", "5m", "--attempts", "4", "--cwd", tmp_path),
        *("--env", "A=1", "--env", "B", "--env-file", "env", "--label", "team=x", "--label", "a=b", "--priority", "7"),
        *("--queue", "slow", "--new-queue"),
        *("--backoff", "1sx2..9s", "--max-failures", "5%", "--halt", "now", "--retry-on", "1,75"),
        *(
            "--on-crash",
            "fail",
            "--rate",
            "9/s",
            "--output-cap",
            "1M",
            "--grace",
            "0",
            "--deadline",
            "1h",
            "--",
            "true",
        ),
    )
    document = jobctl("status", "n", "--json").document
    policy = document["policy"]
    assert (document["queue"], document["priority"], document["labels"]) == ("slow", 7, {"team": "x", "a": "b"})
    assert (policy["slots"], policy["timeout_s"], policy["attempts"], policy["grace_s"]) == (3, 300.0, 4, 0.0)
    assert policy["backoff"] == {"base_s": 1.0, "factor": 2.0, "cap_s": 9.0}
    assert (policy["max_failures"], policy["halt"], policy["retry_on"]) == ("5%", "now", [1, 75])
    assert (policy["on_crash"], policy["rate"], policy["output_cap"], policy["deadline_s"]) == (
        "fail",
        "9/s",
        1 << 20,
        3600,
    )
    assert document["time"]["deadline_at"] is not None


def test_a_bad_file_is_refused_with_places_and_changes_nothing(jobctl, home, tmp_path):
    (tmp_path / "bad.csv").write_text("id,url\n1,a\n2\n3,c,d\n")
    done = jobctl("submit", "bad.csv", "--", "true")
    assert (done.code, done.out) == (7, "")
    assert "line 3" in done.err and "line 4" in done.err
    assert jobctl("status", "--json").document["jobs"] == []
    as_json = jobctl("submit", "bad.csv", "--json", "--", "true")
    assert (as_json.code, as_json.document["error"]["code"]) == (7, "input_rejected")
    assert len(as_json.document["error"]["details"]) == 2
    skipped = jobctl("submit", "bad.csv", "--invalid", "skip", "--", "true")
    assert (skipped.code, skipped.out) == (0, "1\n")
    assert "2 rows left out" in skipped.err
    path = str(home.job_results(1) / "rejected.csv")
    assert path in jobctl("status", 1).out and "2 rows not accepted" in jobctl("status", 1).out
    assert jobctl("results", 1, "--rejected").out == f"{path}\n"
    assert jobctl("results", 1).code == 9  # it is not done
    assert jobctl("results", 1, "--rejected", "-o", "-").out.startswith("line,record,column,reason,row\n3,2,")
    jobctl("cancel", 1)
    assert jobctl("results", 1).out.splitlines()[-1] == f"rejected\t2\t{path}"
    jobctl("submit", "rows.csv", "--", "true")
    assert "every row of job 2 was accepted" in jobctl("results", 2, "--rejected").err


def test_a_dry_run_shows_commands_and_makes_nothing(jobctl, home):
    done = jobctl("submit", "rows.csv", "--dry-run", "--", "echo", "{id}", "a b")
    assert done.out == ("item\tid\turl\tcommand\n1\t1\ta\techo 1 'a b'\n2\t2\tb\techo 2 'a b'\n3\t3\tc\techo 3 'a b'\n")
    assert "3 items (csv) would be accepted" in done.err
    assert not home.root.exists()
    document = jobctl("submit", "rows.csv", "-n", "--json", "--", "echo", "{id}").document
    assert document["commands"][0] == ["echo", "1"]


def test_cancel_of_a_job_that_is_done_changes_nothing(store, jobctl):
    store.job("s", state="succeeded", started_at=1, finished_at=2)
    done = jobctl("cancel", "1")
    assert (done.code, done.err) == (0, "job 1: it is done already (succeeded)\n")
    document = jobctl("cancel", "1", "1.1", "--json").document
    assert [(c["job"], c["item"], c["cancelled"]) for c in document["cancelled"]] == [(1, None, False), (1, 1, False)]


def test_submit_shows_the_state_of_a_job_that_existed_or_may_not_begin(store, jobctl):
    first = jobctl("submit", "rows.csv", "--key", "k", "--hold", "--", "echo", "{id}")
    assert "a daemon runs it" not in first.err
    assert "paused: held at submit; 0 of 3 items processed\n  resume it with: jobctl resume 1" in first.err
    jobctl("cancel", 1)
    again = jobctl("submit", "rows.csv", "--key", "k", "--hold", "--", "echo", "{id}")
    assert again.out == "1\n"
    assert "nothing new was accepted\n  cancelled: cancelled by the user: 3 unprocessed\n" in again.err
    assert "try again with: jobctl retry 1" in again.err
    ran = jobctl("run", "rows.csv", "--key", "k", "--", "echo", "{id}")
    assert ran.code == 5
    assert "job 1 (rows) has this key and is the same work: nothing new was accepted" in ran.err


def test_a_note_says_that_a_command_takes_nothing_from_its_rows(jobctl):
    said = "the command has no placeholder such as {} or {name}: the same command runs 3 times"
    for words in (("--", "echo", "x"), ("--", "echo", "{{id}}"), ("--shell", "echo x")):
        assert said in jobctl("submit", "rows.csv", *words).err
        assert said in jobctl("submit", "rows.csv", "-n", *words).err
        assert said in jobctl("submit", "rows.csv", "-n", "--json", *words).document["notices"]
    for words in (("echo", "{id}"), ("echo", "{#}"), ("echo", "{%}")):
        assert said not in jobctl("submit", "rows.csv", "-n", "--", *words).err
    assert said not in jobctl("submit", "rows.csv", "-n", "--shell", "echo $JOBCTL_ITEM").err


def test_a_note_says_that_the_line_is_appended(jobctl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.txt").write_text("a\nb\n")
    (tmp_path / "rows.csv").write_text("id\n1\n")
    said = "the command has no placeholder such as {}: each line is appended to it, as its last argument"
    assert said in jobctl("submit", "rows.txt", "--", "wc", "-l").err
    assert said in jobctl("submit", "rows.txt", "-n", "--", "wc", "-l").err
    assert said in jobctl("run", "rows.txt", "--", "echo").err
    for words in (("--", "wc", "-l", "{}"), ("--shell", "wc -l {}"), ("--shell", "wc -l")):
        assert said not in jobctl("submit", "rows.txt", "-n", *words).err
    assert said not in jobctl("submit", "rows.csv", "-n", "--", "wc", "-l").err


def test_an_unknown_placeholder_is_named(jobctl, home):
    done = jobctl("submit", "rows.csv", "--", "echo", "{ulr}")
    assert done.code == 7
    assert "{ulr}" in done.err and "url" in done.err
    database = open_database(home) if home.root.exists() else None
    assert database is None or database.scalar("SELECT count(*) FROM jobs") == 0


def test_errors_with_json_do_not_hide_in_text(jobctl):
    done = jobctl("submit", "missing.csv", "--json", "--", "true")
    assert done.code != 0
    assert json.loads(done.out)["error"]["message"]


def test_a_run_that_is_interrupted_while_its_engine_starts_says_that_the_job_is_there(jobctl, tmp_path, monkeypatch):
    def interrupted(_run):
        raise KeyboardInterrupt

    monkeypatch.setattr("jobctl.services.daemon.foreground.ForegroundRun.__enter__", interrupted)
    (tmp_path / "rows.txt").write_text("1\n")
    said = jobctl("run", tmp_path / "rows.txt", "-q", "--", "true")
    assert (said.code, said.out) == (130, "")
    assert "job 1 is not done; continue it here with: jobctl run --resume 1" in said.err


def test_a_wait_that_is_interrupted_says_that_the_job_continues(jobctl, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("jobctl.services.daemon.wait.wait_served", interrupted)
    (tmp_path / "rows.txt").write_text("1\n")
    said = jobctl("submit", tmp_path / "rows.txt", "--key", "k", "--wait", "--", "true")
    assert said.code == 130
    assert "not waiting any more; job 1 continues" in said.err


def test_submit_says_that_the_queue_is_paused(store, jobctl):
    jobctl("queue", "set", "night", "slots=9")
    jobctl("pause", "--queue", "night")
    said = jobctl("submit", "rows.csv", "--queue", "night", "--", "echo", "{id}").err
    assert "\n  resume it with: jobctl resume --queue night\n" in said
    jobctl("resume", "--queue", "night")
    assert "resume it with" not in jobctl("submit", "rows.csv", "--queue", "night", "--", "echo", "{id}").err


def test_the_output_of_a_quiet_dry_run_has_no_messages(jobctl, home):
    loud = jobctl("submit", "rows.csv", "--dry-run", "--", "true", "{id}")
    quiet = jobctl("submit", "rows.csv", "--dry-run", "-q", "--", "true", "{id}")
    assert "true 1" in loud.out
    assert (quiet.code, quiet.out, quiet.err) == (0, loud.out, "")
    assert not home.database.exists()


@pytest.fixture
def decided(monkeypatch):
    """A reader that decides something without an option."""
    from jobctl.sources.lines import LineSource

    opened = LineSource._open

    def open_and_decide(source):
        opened(source)
        source.notices.append("'Orders' was read, 1 of 3 sheets")

    monkeypatch.setattr(LineSource, "_open", open_and_decide)


def test_a_note_names_the_decisions_of_the_reader(jobctl, decided, tmp_path):
    (tmp_path / "rows.txt").write_text("a\nb\n")
    said = "'Orders' was read, 1 of 3 sheets"
    assert f"\n  {said}\n" in jobctl("submit", "rows.txt", "--", "true", "{}").err
    assert said in jobctl("submit", "rows.txt", "--json", "--", "true", "{}").err
    assert said in jobctl("submit", "rows.txt", "--dry-run", "--", "true", "{}").err
    assert jobctl("submit", "rows.txt", "--dry-run", "--json", "--", "true", "{}").document["notices"] == [said]
    assert said not in jobctl("submit", "rows.txt", "-q", "--", "true", "{}").err
    (tmp_path / "bad.txt").write_bytes(b"a\n\xff\n")
    assert f"\n  {said}\n" in jobctl("submit", "bad.txt", "--", "true", "{}").err
