"""Another round with other rules, with the installed command and real processes that need them."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.wait import wait_until

PATIENCE_S = 90
#: Ends only with a time limit of more than a second, or if COLOUR is set.
SLOW = ("sh", "-c", 'test -n "$COLOUR" || exec sleep "$1"', "slow", "{}")


def test_a_round_with_a_longer_limit_succeeds_and_explain_has_both_limits(cli):
    cli.file("rows.txt", "0.1\n2.5\n")
    cli("run", "rows.txt", "-q", "--timeout", 1, "--attempts", 1, "--", *SLOW, check=3)
    document = json.loads(cli("retry", 1, "--timeout", "5m", "--slots", 1, "--json").stdout)
    assert document["retried"][0]["policy"]["timeout_s"] == 300
    cli("daemon", "run", "--drain")
    assert cli.status(1)["state"] == "succeeded"
    shown = cli("explain", 1).stdout
    assert "timeout 5m instead of 1s, slots 1 instead of none" not in shown  # in the order of the help page
    assert "slots 1 instead of none, timeout 5m instead of 1s" in shown
    assert "time limit 1s" in shown and "time limit 5m" in shown


def test_a_variable_of_the_new_round_reaches_items_and_no_message(cli):
    cli.file("rows.txt", "60\n")
    cli("run", "rows.txt", "-q", "--timeout", 1, "--attempts", 1, "--", *SLOW, check=4)
    said = cli("retry", 1, "--env", "COLOUR=vermilion")
    assert "other values for COLOUR" in said.stderr
    cli("daemon", "run", "--drain")
    assert cli.status(1)["state"] == "succeeded"
    assert "vermilion" not in cli("explain", 1, "--json").stdout


def test_the_rules_survive_a_kill_of_everything(cli):
    cli.file("rows.txt", "61\n")
    cli("run", "rows.txt", "-q", "--timeout", 1, "--attempts", 1, "--", *SLOW, check=4)
    cli("daemon", "start")
    cli("retry", 1, "--timeout", "10m", "--attempts", 2)
    wait_until(lambda: cli.document(1)["counts"]["running"] == 1, PATIENCE_S, "the new round")
    for process in (cli.engine_pid(), cli.daemon_pid()):
        os.kill(process, signal.SIGKILL)
    wait_until(lambda: cli.daemon_pid() is None, PATIENCE_S, "the lock to be free")
    policy = cli.status(1)["policy"]
    assert (policy["timeout_s"], policy["attempts"]) == (600, 2)
    assert [each["policy"]["timeout_s"] for each in json.loads(cli("explain", 1, "--json").stdout)["rounds"]] == [
        1,
        600,
    ]
    cli("cancel", 1, "--now")


def test_a_wrong_rule_names_its_option_and_changes_nothing(cli):
    cli.file("rows.txt", "1\n")
    cli("run", "rows.txt", "-q", "--", "sh", "-c", "exit 65", check=4)
    for words, said in (
        (("--timeout", "soon"), "--timeout: 'soon' is not a duration"),
        (("--slots", "0"), "--slots: 0 is less than 1"),
        (("--attempts", "none"), "--attempts: 'none' is not a whole number"),
        (("--halt", "later"), "--halt 'later' is not known"),
        (("--rate", "fast"), "--rate: 'fast' is not a rate"),
        (("--env", "1=2"), "--env '1=2'"),
        (("--timeout",), "--timeout needs a value"),
    ):
        assert said in cli("retry", 1, *words, check=2).stderr
    assert cli.status(1)["round"] == 1
    done = cli("set", 1, "timeout=2m", check=2)
    assert "jobctl retry 1 --timeout 2m" in done.stderr


def test_every_place_suggests_a_longer_limit_and_the_command_works(cli):
    cli.file("rows.txt", "0.1\n2.5\n")
    asked = cli.work / "asked"
    hook = f"cat > {asked}"
    ran = cli("run", "rows.txt", "--timeout", 1, "--attempts", 1, "--on-done", hook, "--", "sleep", "{}", check=3)
    command = "jobctl retry 1 --timeout 2s"
    assert f"retry: {command}" in ran.stderr
    status = cli.status(1)
    assert (status["retry"]["command"], status["retry"]["note"]) == (command, "with a longer time limit")
    assert command in status["next"]
    assert command in cli("explain", 1).stdout
    assert "jobctl retry 1.2 --timeout 2s" in cli("explain", "1.2").stdout
    assert command in cli("report", 1, "-o", "-").stdout
    wait_until(asked.exists, PATIENCE_S, "the notification")
    wait_until(asked.read_text, PATIENCE_S, "its text")
    assert json.loads(asked.read_text())["data"]["retry"]["command"].endswith("retry 1 --timeout 2s")
    cli(*command.replace("2s", "3m").split()[1:])
    cli("daemon", "run", "--drain")
    assert cli.status(1)["state"] == "succeeded"


@pytest.mark.parametrize("kind", ["command", "call"])
def test_each_attempt_has_its_own_limit(cli, kind):
    cli.file("rows.txt", "0.1\n3\n")
    cli.file("naps.py", "import time\n\n\ndef nap(line):\n    time.sleep(float(line))\n")
    work = ("--", "sleep", "{}") if kind == "command" else ("--env", f"PYTHONPATH={cli.work}", "--call", "naps:nap")
    limits = ("--timeout", "500ms,1s,10m", "--attempts", 3, "--backoff", "10ms")
    cli("run", "rows.txt", "-q", *limits, *work, env={"PYTHONPATH": str(cli.work)})
    attempts = json.loads(cli("explain", "1.2", "--json").stdout)["attempts"]
    assert [attempt["outcome"] for attempt in attempts] == ["timeout", "timeout", "succeeded"]
    policy = cli.status(1)["policy"]
    assert (policy["timeout_s"], policy["timeouts_s"]) == (600, [0.5, 1, 600])
    assert "time limit 500ms, then 1s, then 10m" in cli("status", 1, "--plain").stdout


def test_a_new_job_of_failed_rows_runs_another_command(cli):
    cli.file("rows.csv", "id,size\n1,10\n2,20\n3,30\n")
    cli("run", "rows.csv", "-q", "--attempts", 1, "--", "sh", "-c", 'test "$1" = 2', "x", "{id}", check=3)
    shown = cli("retry", 1, "--as-new", "-n", "--", "echo", "{size}").stdout
    assert "echo 10" in shown
    assert cli("retry", 1, "--as-new", "--where", "size > 15", "--", "echo", "{size}").stdout == "2\n"
    document = json.loads(cli("retry", 1, "--as-new", "--items", "1-", "--json", "--", "echo", "{size}").stdout)
    assert (document["job"], document["counts"]["total"]) == (3, 3)
    cli("daemon", "run", "--drain")
    assert [cli.status(job)["state"] for job in (1, 2, 3)] == ["partial", "succeeded", "succeeded"]
    assert cli.status(1)["input"]["resubmitted_as"] == [2, 3]
    assert "rows also in job 2, 3" in cli("status", 1).stdout
    cli("verify", 2)


def test_what_a_new_job_needs_is_refused_for_a_new_round(cli):
    cli.file("rows.txt", "1\n")
    for _ in range(2):
        cli("run", "rows.txt", "-q", "--", "sh", "-c", "exit 65", check=4)
    for words, said in (
        ((1, "--queue", "x"), "--queue is for a new job"),
        ((1, "--", "true"), "a COMMAND is for a new job"),
        ((1, "-n"), "--dry-run is for a new job"),
        ((1, "--state", "succeeded"), "or add --as-new for a new job of any rows"),
        ((1, 2, "--as-new"), "--as-new takes the rows of one job"),
        ((1, "--as-new", "--state", "succeeded"), "none of its one item are succeeded"),
        ((1, "--as-new", "--", "no-such-program"), "no program 'no-such-program'"),
        ((1, "--as-new", "--", "echo", "{nosuch}"), "unknown placeholder"),
        ((1, "--as-new", "--queue", "nope"), "there is no queue 'nope'"),
        ((1, "--as-new", "--timeout", "soon"), "--timeout: 'soon' is not a duration"),
        ((1, "--as-new", "--call-setup", "a:b"), "--call-setup needs --call"),
        ((1, "--as-new", "--shell", "true", "--", "true"), "--shell and a COMMAND at once"),
    ):
        assert said in cli("retry", *words, check=2).stderr, words
    assert "no job 9" in cli("retry", 9, "--as-new", check=9).stderr


def test_a_job_after_one_that_timed_out_names_a_retry_that_can_succeed(cli):
    cli.file("rows.txt", "2.5\n")
    cli("run", "rows.txt", "-q", "--timeout", 1, "--attempts", 1, "--", "sleep", "{}", check=4)
    cli("submit", "rows.txt", "--after", 1, "--", "true", "{}")
    assert cli.status(2)["next"]
    holds = json.loads(cli("explain", 2, "--json").stdout)["holds"]
    assert "jobctl retry 1 --timeout 2s" in [hold["action"] for hold in holds]
    cli("daemon", "run", "--drain")
    assert cli.status(2)["retry"]["command"] == "jobctl retry 1 --timeout 2s && jobctl retry 2"


@pytest.mark.slow
def test_a_kill_while_rows_are_copied_leaves_no_job_and_nothing_that_prune_does_not_remove(cli):
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(400_000)))
    cli("submit", "rows.txt", "--hold", "-q", "--", "true", "{}")
    with cli.start("retry", 1, "--as-new", "--items", "1-", "--hold", "-q") as copying:
        wait_until(
            lambda: cli.rows("SELECT 1 FROM prunings") or copying.poll() is not None, PATIENCE_S, "the first rows"
        )
        copying.kill()
        copying.communicate(timeout=PATIENCE_S)
    is_made = bool(cli.rows("SELECT 1 FROM jobs WHERE id = 2"))  # if it was quicker than the kill
    cli("prune", "--older-than", "0", "--yes")
    assert cli.rows("SELECT count(*) FROM prunings") == [(0,)]
    assert cli.rows("SELECT count(*) FROM items WHERE job = 2") == [(400_000 if is_made else 0,)]
    assert cli("retry", 1, "--as-new", "--items", "1-", "--hold").stdout == "3\n"
    assert cli.rows("SELECT count(*) FROM items WHERE job = 3") == [(400_000,)]
