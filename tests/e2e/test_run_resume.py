"""``jobctl run --resume``: a job that was interrupted continues in the foreground, as if it had never stopped."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.wait import wait_until

PATIENCE_S = 90
#: Runs until the file ``go`` is there.
WAITS = ("sh", "-c", 'echo x >> begun; while ! test -e go; do sleep 0.05; done; test "$1" != bad', "waits", "{}")


def begun(cli):
    path = cli.work / "begun"
    return path.read_text().count("x") if path.exists() else 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_run_continues_with_the_same_exit_code(cli, number):
    cli.file("rows.txt", "a\nbad\nc\n")
    with cli.start("run", "rows.txt", "-j", 1, "--attempts", 1, "--", *WAITS) as running:
        wait_until(lambda: begun(cli) == 1, PATIENCE_S, "the first item")
        if number == signal.SIGKILL:
            for process in (cli.engine_pid(), cli.daemon_pid()):
                os.kill(process, signal.SIGKILL)
        running.send_signal(number)
        if number == signal.SIGINT:  # the second one ends the item
            wait_until(lambda: "stopping" in running.stderr.readline(), PATIENCE_S, "the answer to the first signal")
            running.send_signal(number)
        running.communicate(timeout=PATIENCE_S)
    wait_until(lambda: cli.daemon_pid() is None, PATIENCE_S, "the lock to be free")
    (cli.work / "go").touch()
    done = cli("run", "--resume", 1, "--json", check=3)
    document = json.loads(done.stdout)
    assert (document["job"], document["state"], document["round"]) == (1, "partial", 1)
    assert document["counts"]["succeeded"] == 2
    assert cli.daemon_pid() is None


def test_a_job_that_was_submitted_is_run_here_or_followed(cli):
    cli.file("rows.txt", "a\nb\n")
    cli("submit", "rows.txt", "--name", "nightly", "--", "true", "{}")
    said = cli("run", "--resume", "nightly")
    assert "job 1 (nightly) succeeded" in said.stderr
    cli("daemon", "start")
    cli("submit", "rows.txt", "--", *WAITS)
    with cli.start("run", "--resume", "last") as running:
        wait_until(lambda: "running" in running.stderr.readline(), PATIENCE_S, "the first line about the job")
        (cli.work / "go").touch()
        assert "job 2 (rows) succeeded" in running.communicate(timeout=PATIENCE_S)[1]
    assert running.returncode == 0
    assert cli.daemon_pid() is not None


def test_what_cannot_be_continued_says_what_to_type(cli):
    cli.file("rows.txt", "a\n")
    cli("run", "rows.txt", "-q", "--", "sh", "-c", "exit 65", check=4)
    cli("run", "rows.txt", "-q", "--", "true", "{}")
    cli("submit", "rows.txt", "--hold", "--", "true", "{}")
    for words, said in (
        ((1,), "jobctl retry 1 && jobctl run --resume 1"),
        ((2,), "jobctl results 2"),
        ((3,), "jobctl resume 3 && jobctl run --resume 3"),
        ((3, "--slots", 2), "jobctl set 3 slots=2"),
        ((3, "--name", "x"), "leave --name out"),
        ((3, "rows.txt"), "--resume continues a job, which has its own rows and command"),
        ((3, "--", "true"), "--resume continues a job, which has its own rows and command"),
        ((3, "rows.txt", "--", "true"), "--resume continues a job, which has its own rows and command"),
    ):
        assert said in cli("run", "--resume", *words, check=2).stderr, words
    assert "no job 9" in cli("run", "--resume", 9, check=9).stderr
    assert "FILE is missing" in cli("run", check=2).stderr
