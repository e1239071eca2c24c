"""The commands that check, export, tell again and remove: what they print and how they exit."""

from __future__ import annotations

import time

import pytest

from jobctl.domain.notify import NotifyOptions
from jobctl.domain.policy import Policy
from tests.engine.bench import Bench
from tests.executors.fake import Play

DAY_US = 86_400_000_000


@pytest.fixture
def bench(tmp_path, monkeypatch, jobctl):
    """A job of three rows of yesterday whose second failed, with a target to notify. Commands see its store."""
    bench = Bench(tmp_path, script=lambda d: Play(code=65, err=b"bad row\n") if d.item == 2 else Play())
    bench.now = time.time_ns() // 1000 - DAY_US
    monkeypatch.setenv("JOBCTL_HOME", str(bench.home.root))
    bench.submit(
        rows=3, policy=Policy(), notify=NotifyOptions(urls=("http://127.0.0.1:9/hook?key=geheim",)), name="nightly"
    )
    bench.work_off()
    return bench


def settle_deliveries(bench, state):
    with bench.database.transaction():
        bench.database.execute(
            "UPDATE deliveries SET state = ?, next_at = NULL, attempts = 7, result = 'HTTP 500'", (state,)
        )


# ---- verify ----


def test_verify_names_the_checks(bench, jobctl):
    done = jobctl("verify", "nightly")
    assert (done.code, done.out) == (0, "")
    assert done.err == (
        "job 1 is correct (counters, checksums, every row once, input rows; 3 items, 3 rows in 3 result files)\n"
    )
    document = jobctl("verify", 1, "--json").document
    assert (document["schema"], document["ok"], document["findings"]) == ("jobctl.verify/1", True, [])


def test_verify_finds_a_change_and_exits_1(bench, jobctl):
    path = bench.home.job_results(1) / "failed.csv"
    path.write_text(path.read_text().replace("row 2", "row \x1b[2J2"))
    done = jobctl("verify", 1)
    assert done.code == 1
    assert "checksum: failed.csv was changed" in done.out
    assert "row_differs: failed.csv, line 2: the row of item 2" in done.out
    assert "\x1b" not in done.out
    assert "job 1 is not correct: 2 findings" in done.err
    assert jobctl("verify", 1, "--json").document["ok"] is False


# ---- export ----


def test_export_writes_a_joblog_to_standard_output_or_a_file(bench, jobctl, tmp_path):
    lines = jobctl("export", 1, "--joblog").out.splitlines()
    assert lines[0].split("\t")[:4] == ["Seq", "Host", "Starttime", "JobRuntime"]
    assert [line.split("\t")[6] for line in lines[1:]] == ["0", "65", "0"]
    target = tmp_path / "joblog"
    done = jobctl("export", 1, "--joblog", "-o", target)
    assert (done.code, done.out) == (0, "")
    assert target.read_text().splitlines() == lines
    refused = jobctl("export", 1, "--joblog", "-o", tmp_path / "nowhere" / "joblog")
    assert refused.code == 1
    assert "No such file or directory" in refused.err


# ---- notify ----


def test_notifications_are_listed_without_secrets(bench, jobctl):
    done = jobctl("notify", "list", "last")
    first, second = done.out.splitlines()
    assert "job 1 round 1  job.partial" in first
    assert "geheim" not in done.out
    assert second.startswith("  pending after 0 attempts")
    assert jobctl("notify", "list", "--json").document["schema"] == "jobctl.deliveries/1"


def test_one_that_was_given_up_is_sent_again(bench, jobctl):
    settle_deliveries(bench, "dead")
    identity = jobctl("notify", "list", "--json").document["deliveries"][0]["id"]
    attention = jobctl("status", 1, "--json").document["attention"]
    assert [(a["code"], a["action"]) for a in attention] == [("notify_dead", f"jobctl notify resend {identity}")]
    done = jobctl("notify", "resend", identity[:12])
    assert done.code == 0
    assert "which was dead, is sent again; start a daemon: jobctl daemon start" in done.err
    assert jobctl("status", 1, "--json").document["notify"][0]["state"] == "pending"
    assert jobctl("notify", "resend", "msg_nothing").code == 9


def test_a_missing_target_is_reported(tmp_path, monkeypatch, jobctl):
    bench = Bench(tmp_path)
    monkeypatch.setenv("JOBCTL_HOME", str(bench.home.root))
    assert "there are no notifications" in jobctl("notify", "list").err


# ---- prune ----


def test_prune_names_the_jobs_that_it_removes_and_those_that_it_keeps_with_the_reason(bench, jobctl):
    assert "stays: a notification about its end is not delivered yet" in jobctl("prune", "--older-than", "0s").err
    settle_deliveries(bench, "delivered")
    assert "its failed items were not retried (--include-failed" in jobctl("prune", "--older-than", "0s").err
    dry = jobctl("prune", "--older-than", "0s", "--include-failed", "--dry-run")
    assert dry.out.startswith("1\tnightly\tpartial ")
    assert "1 job done for more than 0s would be removed; nothing was changed" in dry.err
    assert jobctl("status", 1).code == 0
    done = jobctl("prune", "--older-than", "0s", "--include-failed", "--json").document
    assert [job["job"] for job in done["jobs"]] == [1]
    assert jobctl("status", 1).code == 9
    assert not bench.home.job_results(1).exists()


def test_jobs_that_stay_for_one_reason_are_named_in_one_line(store, jobctl):
    for number in range(1, 13):
        store.job("f", name=f"n{number}", state="failed", started_at=1, finished_at=2)
    said = jobctl("prune", "--older-than", "0s").err.splitlines()
    assert len(said) == 2
    assert "jobs 1 (n1), 2 (n2)," in said[0] and " and 2 more stay: its failed items were not retried" in said[0]


def test_the_age_comes_from_the_settings_when_it_is_not_given(bench, jobctl, monkeypatch, tmp_path):
    settle_deliveries(bench, "delivered")
    assert "1 job done" not in jobctl("prune", "-n", "--include-failed").err
    folder = tmp_path / "config" / "jobctl"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[prune]\nolder-than = "0s"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert "1 job done for more than 0s would be removed" in jobctl("prune", "-n", "--include-failed").err
    (folder / "config.toml").write_text('[prune]\nolder-than = "old"\n')
    refused = jobctl("prune", "-n")
    assert refused.code == 2
    assert "older-than" in refused.err


@pytest.mark.parametrize("words", ["verify 1", "export 1 --joblog", "notify list 1"])
def test_without_a_store_there_is_no_job(jobctl, home, words):
    assert jobctl(*words.split()).code == 9
    assert not home.database.exists()


@pytest.mark.parametrize("words", ["notify list", "prune", "queue list"])
def test_without_a_store_lists_are_empty_with_a_note(jobctl, home, words):
    done = jobctl(*words.split())
    assert done.code == 0
    assert "no jobs yet" in done.err
    assert jobctl(*words.split(), "-q").err == ""
    assert jobctl(*words.split(), "--json").document["schema"].startswith("jobctl.")
    assert not home.database.exists()


# ---- doctor ----


def test_doctor_prints_a_line_for_each_check(store, jobctl):
    store.job("ss", state="succeeded", started_at=1, finished_at=2)
    done = jobctl("doctor")
    assert done.code == 0 and done.err == "all is well\n"
    lines = done.out.splitlines()
    assert len(lines) == 16 and all(line.startswith("ok  ") for line in lines)
    document = jobctl("doctor", "--json").document
    assert document["schema"] == "jobctl.doctor/1" and document["ok"] is True
    assert [check["name"].replace("_", " ") in line for check, line in zip(document["checks"], lines, strict=True)]


def test_doctor_names_the_command_that_helps_and_fails(store, home, jobctl):
    home.database.chmod(0o640)
    done = jobctl("doctor", "-v")
    assert done.code == 1 and done.err == "1 failure\n"
    assert "\n                   -> jobctl doctor --repair\n" in done.out and "mode 0640" in done.out
    assert jobctl("doctor", "--json").code == 1
    done = jobctl("doctor", "--repair")
    assert done.code == 0 and "repaired: closed" in done.out


def test_doctor_restores_only_when_asked(store, home, jobctl):
    from jobctl.store.opening import backup

    store.job("ss", state="succeeded", started_at=1, finished_at=2)
    backup.make(store.database, time.time_ns() // 1000)
    store.database.close()
    home.database.write_bytes(b"torn")
    assert jobctl("doctor", "--repair").code == 1
    assert home.database.read_bytes() == b"torn"
    assert jobctl("doctor", "--repair", "--restore").code == 2
    done = jobctl("doctor", "--restore")
    assert done.code == 0 and "the damaged one is in" in done.err
    assert jobctl("status", "1").code == 0
    refused = jobctl("doctor", "--restore")
    assert refused.code == 2 and "not damaged" in refused.err


def test_doctor_fits_a_terminal(store, home, monkeypatch):
    """The screen at 80 columns, in colour and without."""
    import io

    from jobctl.render.doctor import print_examination
    from jobctl.render.look import look_of

    class Screen(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return True

    monkeypatch.setenv("COLUMNS", "80")
    check = {
        "name": "stray_files",
        "level": "fail",
        "message": "seven words \x1b[31mand some more of them, so that they need more than a line of it",
        "action": "jobctl doctor --repair",
        "details": ["one"],
        "repaired": None,
    }
    plain, coloured = Screen(), Screen()
    print_examination({"checks": [check]}, plain, look_of(plain, color=False), verbose=False)
    print_examination({"checks": [check]}, coloured, look_of(coloured, color=True), verbose=True)
    lines = plain.getvalue().splitlines()
    assert len(lines) == 3 and max(map(len, lines)) <= 80
    assert "\x1b" not in plain.getvalue() and "^[[31m" in plain.getvalue()
    assert lines[2].strip() == "-> jobctl doctor --repair"
    assert coloured.getvalue().startswith("\x1b[1;31mfail\x1b[0m") and "- one" in coloured.getvalue()


def test_prune_with_nothing_to_remove_says_so(bench, jobctl):
    assert jobctl("prune").err.endswith("no job done for more than 30d: nothing was removed\n")
    kept = jobctl("prune", "--older-than", "0s", "--keep-failed")
    assert "removed" in kept.err


def test_prune_of_one_job_after_which_there_is_none(store, jobctl):
    store.job("s", state="succeeded", finished_at=9, started_at=1)
    assert "1 job removed:" in jobctl("prune", "1").err
    gone = jobctl("prune", "1")
    assert (gone.code, gone.err.splitlines()[0]) == (9, "jobctl: there are no jobs")
