"""``prune`` leaves nothing that can be read, with a daemon, without one, and after it was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest

from tests.services.control.test_erasure import found
from tests.wait import wait_until

MODULE = """
def work(mail):
    if mail.endswith("7"):
        raise ValueError("SECRETraised " + mail)
    print("SECRETprinted", mail)
    return {"SECRETreturned": mail}
"""
COMMAND = "echo SECRETout $1; echo SECRETerr $1 >&2; case $1 in *7) echo SECRETcause $1 >&2; exit 9;; esac"


@pytest.fixture
def jobs(cli):
    """Jobs with SECRET everywhere a job can have it, and one job without it, all done."""
    cli.file("mail.csv", "id,mail\n" + "".join(f"{n},SECRETrow{n}\n" for n in range(60)))
    cli.file("SECRETfile.txt", "".join(f"SECRETline{n}\n" for n in range(5)))
    cli.file("bad.csv", "id,mail\n" + "".join(f"{n},SECRETrow{n}\n" for n in range(9)) + "10,SECRET,SECRETbad\n")
    cli.file("kept.txt", "".join(f"KEPT{n}\n" for n in range(200)))
    cli.file("module.py", MODULE)
    cli.file("SECRETleaves", "#!/bin/sh\nsleep 50 &\n").chmod(0o755)
    cli("daemon", "start", "-j", 4)
    kept = cli.submit("kept.txt", "--", "echo", "{}")
    many = ("--max-failures", "none", "--attempts", 2, "--backoff", "1ms", "--label", "a=SECRETlabel")
    made = [
        cli.submit("mail.csv", *many, "--key", "SECRETkey", "--item-key", "mail", "--only-new", "--name", "SECRETname",
                   "--env", "A=SECRETenv", "--on-done", "echo SECRETtold; cat; exit 0",
                   "--", "sh", "-c", COMMAND, "SECRETword", "{mail}"),
        cli.submit("mail.csv", *many, "--name", "SECRETcalls", "--call", "module:work"),
        cli.submit("SECRETfile.txt", "--", "sleep", "600"),
        cli.submit("bad.csv", "--invalid", "skip", "--shell", "echo {mail} > /dev/null # SECRETshell"),
        cli.submit("SECRETfile.txt", "--leftovers", "end", "--", "./SECRETleaves", "{}"),
        cli.submit("mail.csv", "--name", "SECRETname", "--item-key", "mail", "--only-new", "--hold", "--", "true"),
    ]  # fmt: skip
    cli("cancel", made[-1])
    cli("cancel", made[2], "--now", "--reason", "SECRETreason")
    cli("wait", kept, *made, check=None)
    wait_until(
        lambda: not cli.rows("SELECT 1 FROM deliveries WHERE state = 'pending'"), 60, "the notification to be sent"
    )
    assert set(cli.rows("SELECT state FROM deliveries")) == {("delivered",)}
    assert {name.partition("/")[0] for name in found(cli.home.root, b"SECRET")} >= {"jobctl.db-wal", "logs", "results"}
    return kept, made


def test_while_a_daemon_works_and_when_it_has_gone(cli, jobs):
    kept, made = jobs
    cli("prune", *made)
    assert found(cli.home.root, b"SECRET") == {}
    cli("verify", kept)
    again = cli.submit("mail.csv", "--name", "SECRETname", "--", "true", "{mail}")
    cli("wait", again)
    cli("daemon", "stop")
    cli("prune", again)
    assert found(cli.home.root, b"SECRET") == {}
    cli("verify", kept)
    assert found(cli.home.root, b"KEPT")


def test_without_a_daemon(cli, jobs):
    kept, made = jobs
    cli("daemon", "stop")
    report = json.loads(cli("prune", "--older-than", "0s", "--include-failed", "--json").stdout)
    assert sorted(job["job"] for job in report["jobs"]) == sorted([kept, *made])
    assert found(cli.home.root, b"SECRET") == {}


@pytest.mark.slow
def test_while_another_job_writes_all_the_time(cli, jobs):
    _, made = jobs
    cli.file("long.txt", "".join(f"{n}\n" for n in range(20_000)))
    busy = cli.submit("long.txt", "--", "true")
    cli("prune", *made)
    assert found(cli.home.root, b"SECRET") == {}
    assert cli.status(busy)["state"] == "running"
    cli("cancel", busy)
    cli("verify", busy)


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.15, 0.3, 0.5])
def test_killed_and_repeated(cli, jobs, after_s):
    kept, made = jobs
    victim = cli.start("prune", *made, start_new_session=True)
    try:
        victim.wait(after_s)
    except subprocess.TimeoutExpired:
        os.killpg(victim.pid, signal.SIGKILL)
    victim.communicate()
    done = cli("prune", *made, check=None)
    assert done.returncode in (0, 9), "9: there is nothing left of them"
    assert found(cli.home.root, b"SECRET") == {}
    cli("verify", kept)


@pytest.mark.slow
def test_a_job_so_large_that_it_was_staged(cli, jobs):
    _, made = jobs
    cli.file("large.txt", "".join(f"SECRETlarge{n:07}{'x' * 100}\n" for n in range(60_000)))
    large = cli.submit("large.txt", "--hold", "--", "true")
    cli("cancel", large)
    cli("prune", large, *made)
    assert found(cli.home.root, b"SECRET") == {}
