"""Small limits of ulimit: everything ends soon, with a sentence that names the limit, and without a traceback."""

from __future__ import annotations

import shlex

import pytest

from tests.stages import few

LIMITS = [
    "-f 16",
    "-f 80",
    "-f 800",
    "-n 8",
    "-n 10",
    "-n 11",
    "-n 12",
    "-n 13",
    "-n 14",
    "-n 16",
    "-v 20000",
    "-v 30000",
    "-t 1",
]
COMMANDS = ["run rows.txt -j 2 -- echo {}", "submit rows.txt -- echo {}", "daemon start", "status"]


def limited(cli, limit, words):
    program = shlex.join(cli.program)
    return cli.shell(f"ulimit {limit} && exec {program} {words}")


@pytest.mark.parametrize("limit", few(LIMITS, ["-f 80", "-n 12"]))
def test_nothing_hangs_or_breaks_under_a_small_limit(cli, limit):
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(3000 if "-f" in limit else 5)))
    for words in COMMANDS:
        done = limited(cli, limit, words)
        if limit.startswith("-v") and "fatal" in done.stderr.lower():
            continue  # not even Python begins
        assert "Traceback" not in done.stderr and "bug in jobctl" not in done.stderr, (words, done.stderr)
        assert done.returncode in (0, 1, 9, 75), (words, done)
        if done.returncode == 1:
            assert "ulimit" in done.stderr or "daemon.log" in done.stderr, (words, done.stderr)
    cli("daemon", "stop", "--now", check=None)
    cli("status")


@pytest.mark.parametrize("files", few([6, 8, 9, 10, 11], [9]))
def test_a_start_with_too_few_descriptors_names_the_limit(cli, files):
    cli.file("rows.txt", "1\n")
    cli.submit("rows.txt", "--", "true")
    done = limited(cli, f"-n {files}", "daemon start")
    assert done.returncode in (0, 1), done
    if done.returncode:
        assert "ulimit -n" in done.stderr and "ended with code" not in done.stderr, done.stderr


def test_a_job_that_met_the_limit_continues_without_it(cli):
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(3000)))
    stopped = limited(cli, "-f 800", "run rows.txt -j 2 -- true")
    assert stopped.returncode == 1
    assert "ulimit -f" in stopped.stderr and "daemon start" in stopped.stderr
    cli("daemon", "start")
    cli("wait", 1)
    assert cli("verify", 1).returncode == 0
