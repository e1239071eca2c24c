"""The messages about processes that items leave behind, and the jobs of the version before."""

from __future__ import annotations

import csv
import json
import os
import sys

import pytest

from jobctl.store.opening.open import open_database
from tests.stages import few
from tests.wait import wait_until

DAEMON = "(setsid sleep 300 </dev/null >/dev/null 2>&1 &); sleep 0.3"


def submit(cli, script, *options):
    cli.file("rows.txt", "a\n")
    cli("daemon", "start", "--slots", 2)
    return cli.submit("rows.txt", "--grace", "0.2s", *options, "--shell", script)


def codes(cli, job):
    return {found["code"]: found["message"] for found in cli.document(job)["attention"]}


def test_work_in_the_background_is_done_by_default(cli):
    job = submit(cli, "(sleep 1; echo done > made) & exit 0")
    cli("wait", job)
    assert (cli.work / "made").read_text() == "done\n"
    assert cli.status(job)["policy"]["leftovers"] == "wait" and codes(cli, job) == {}
    assert "left_behind" not in (cli.home.job_results(job) / "succeeded.csv").read_text()


def test_an_item_that_waits_is_named_everywhere(cli):
    job = submit(cli, "sleep 300 & exit 0")
    begun = "item 1 has exited and waits for 1 process that it left behind: "
    wait_until(lambda: codes(cli, job).get("leftovers_running", "").startswith(begun), 60, "the message")
    # The process is called sh until it has loaded sleep.
    wait_until(lambda: codes(cli, job)["leftovers_running"].endswith(" sleep"), 60, "the name of the process")
    assert "waits for 1 process that it left behind" in cli("explain", f"{job}.1").stdout
    cli("cancel", job)
    cli("wait", job, check=None)
    assert "leftovers_running" not in codes(cli, job)


@pytest.mark.parametrize(("leftovers", "state", "code"), [("wait", "succeeded", None), ("fail", "failed", "leftovers")])
def test_what_was_ended_is_named_everywhere(cli, leftovers, state, code):
    job = submit(cli, DAEMON, "--leftovers", leftovers, "--attempts", 1)
    cli("wait", job, check=None)
    assert codes(cli, job)["leftovers_ended"] == "1 process that item 1 left behind was ended: sleep"
    (item,) = [json.loads(line) for line in cli("items", job, "--json").stdout.splitlines()] or [None]
    item = item["items"][0] if "items" in item else item
    assert (item["state"], item["code"]) == (state, code)
    assert item["left_behind"] == {"processes": 1, "names": "sleep"}
    (attempt,) = json.loads(cli("explain", f"{job}.1", "--json").stdout)["attempts"]
    assert attempt["left_behind"] == {"processes": 1, "names": "sleep"}
    assert "left 1 process behind, which was ended: sleep" in cli("explain", f"{job}.1").stdout
    (row,) = csv.DictReader((cli.home.job_results(job) / f"{state}.csv").read_text().splitlines())
    assert row["jobctl_left_behind"] == "1 sleep"
    assert "processes left behind were ended" in cli("logs", job, check=None).stdout


def test_a_failure_by_leftovers_is_tried_again(cli):
    job = submit(cli, f"[ $JOBCTL_ATTEMPT = 2 ] || {{ {DAEMON}; }}", "--leftovers", "fail", "--backoff", "0s")
    cli("wait", job)
    assert cli.rows("SELECT attempt, state FROM items") == [(2, 3)]


def test_a_job_that_was_accepted_before_there_was_a_choice_continues_unchanged(cli):
    cli.file("rows.txt", "a\n")
    job = cli.submit("rows.txt", "--grace", "0.2s", "--shell", "sleep 300 & exit 0")
    database = open_database(cli.home)
    with database.transaction():
        policy = json.loads(database.scalar("SELECT policy FROM jobs"))
        del policy["leftovers"]
        database.execute("UPDATE jobs SET policy = ?", (json.dumps(policy),))
    database.close()
    cli("daemon", "start")
    cli("wait", job)
    assert codes(cli, job)["leftovers_ended"].startswith("1 process that item 1 left behind was ended")


def test_a_polite_stop_waits_too(cli):
    submit(cli, "(sleep 2; echo done > made) & echo exits > there")
    wait_until(lambda: (cli.work / "there").exists(), 60, "it to wait")
    cli("daemon", "stop")
    wait_until(lambda: cli.daemon_pid() is None, 60, "the daemon to end")
    assert (cli.work / "made").exists()
    assert cli.rows("SELECT state FROM items") == [(3,)]


def test_a_rule_that_is_changed_counts_for_what_waits_already(cli):
    job = submit(cli, "sleep 300 & exit 0")
    wait_until(lambda: "leftovers_running" in codes(cli, job), 60, "it to wait")
    cli("set", job, "leftovers=end")
    cli("wait", job)
    assert "leftovers_ended" in codes(cli, job)


@pytest.mark.parametrize("leftovers", few(["wait", "fail"], ["wait"]))
def test_a_killed_daemon_leaves_nothing_of_an_item_that_waits(cli, leftovers):
    script = "echo $JOBCTL_ATTEMPT >> began; if [ $JOBCTL_ATTEMPT = 2 ]; then exit 0; fi; sleep 300 & echo $! > left"
    if leftovers == "fail":
        script = script.replace("sleep 300", "sh -c 'trap : TERM; sleep 300; sleep 300'")
    job = submit(cli, script, "--leftovers", leftovers, "--grace", "60s")
    wait_until(lambda: (cli.work / "left").exists() and (cli.work / "left").read_text().strip(), 60, "it to wait")
    pid = int((cli.work / "left").read_text())
    supervisor, engine = cli.daemon_pid(), cli.engine_pid()
    os.kill(supervisor, 9)
    os.kill(engine, 9)
    wait_until(lambda: cli.daemon_pid() is None, 60, "the lock to be free")
    cli("daemon", "start")
    cli("wait", job)
    assert not os.path.exists(f"/proc/{pid}/exe") or "sleep" not in os.readlink(f"/proc/{pid}/exe")
    assert (cli.work / "began").read_text() == "1\n2\n"


CALLED = """
import os, subprocess
def leave(line):
    with open("left", "w") as file:
        file.write(str(subprocess.Popen(["sleep", "300"]).pid))
    if line == "die":
        os._exit(3)
"""


@pytest.mark.parametrize("row", few(["die", "return"], ["die"]))
def test_what_calls_leave_ends_with_their_worker_and_is_named(cli, row):
    (cli.work / "tasks.py").write_text(CALLED)
    cli.file("rows.txt", f"{row}\n")
    cli("daemon", "start", "--slots", 1)
    options = ("--attempts", 1, "--grace", "0.2s", "--recycle", 1, "--python", sys.executable)
    job = cli.submit("rows.txt", *options, "--call", "tasks:leave")
    cli("wait", job, check=None)
    pid = int((cli.work / "left").read_text())
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 60, "it to be ended")
    if row == "die":
        assert codes(cli, job)["leftovers_ended"] == "1 process that item 1 left behind was ended: sleep"
    else:
        wait_until(lambda: "ended with their worker: 1 sleep" in cli.home.daemon_log.read_text(), 60, "the message")


@pytest.mark.parametrize(
    ("way", "code"), few([("--timeout", "timeout"), ("cancel", "cancelled")], [("cancel", "cancelled")], several=True)
)
def test_what_was_waited_for_and_ended_is_named_and_took_its_time(cli, way, code):
    job = submit(cli, "sleep 300 & exit 0", "--attempts", 1, *(["--timeout", "1s"] if way == "--timeout" else []))
    if way == "cancel":
        wait_until(lambda: "leftovers_running" in codes(cli, job), 60, "the message")
        cli("cancel", job)
    cli("wait", job, check=None)
    assert codes(cli, job)["leftovers_ended"].endswith("1 process that item 1 left behind was ended: sleep")
    (item,) = json.loads(cli("items", job, "--json").stdout)["items"]
    assert item["left_behind"] == {"processes": 1, "names": "sleep"}
    if way == "--timeout":
        assert item["code"] == code and item["duration_s"] >= 1
        assert item["message"] == f"stopped at its time limit after {item['duration_s']:.1f} s"
