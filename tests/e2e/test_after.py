"""Jobs that come after others, with daemons: nothing starts after a job that ended without success."""

from __future__ import annotations

import pytest

from tests.wait import wait_until

ENDED = ("succeeded", "partial", "failed", "cancelled", "expired")


def chain(cli, *first):
    """A first job and four that come after it; their numbers."""
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(20)))
    cli.file("two.txt", "1\n2\n")
    note = ("--shell", "echo {} >> ran")
    start = cli.submit("rows.txt", "-q", *first)
    second = cli.submit("two.txt", "-q", "--after", start, *note)
    third = cli.submit("rows.txt", "-q", "--after", second, *note)
    fork = cli.submit("two.txt", "-q", "--after", start, "--after", f"{second}:any", *note)
    last = cli.submit("two.txt", "-q", "--after", third, "--after", fork, *note)
    return start, (second, third, fork, last)


def assert_nothing_ran(cli, dependents):
    for job in dependents:
        assert cli.wait_state(job, *ENDED) == "cancelled"
        assert "was to run only after its success" in cli("explain", job, check=None).stdout
    assert not (cli.work / "ran").exists()


@pytest.mark.parametrize(
    "how",
    [
        "held",
        *(pytest.param(how, marks=pytest.mark.slow) for how in ("failing at once", "running", "failing", "expiring")),
    ],
)
def test_with_a_daemon_nothing_starts(cli, how):
    first = {
        "held": ("--hold", "--", "true"),
        "running": ("--", "sleep", "60"),
        "failing": ("--attempts", "1", "--", "false"),
        "failing at once": ("--attempts", "1", "--max-failures", "0", "--", "false"),
        "expiring": ("--deadline", "2s", "--", "sleep", "60"),
    }[how]
    cli("daemon", "start", "-j", "4")
    start, dependents = chain(cli, *first)
    if how in ("held", "running"):
        if how == "running":
            cli.wait_state(start, "running")
        cli("cancel", start)
    cli.wait_state(start, *ENDED)
    assert_nothing_ran(cli, dependents)


def test_without_a_daemon_a_cancel_ends_the_whole_chain(cli):
    start, dependents = chain(cli, "--", "true")
    cli("cancel", start)
    assert_nothing_ran(cli, dependents)


def test_a_run_in_the_foreground_that_fails_ends_what_comes_after_it(cli):
    cli.file("slow.txt", "1\n")
    running = cli.start("run", "slow.txt", "-q", "--attempts", "1", "--shell", ": > begun; sleep 4; exit 65")
    try:
        wait_until((cli.work / "begun").exists, 60, "the first item")
        second = cli.submit("slow.txt", "-q", "--after", 1, "--shell", "echo {} >> ran")
        third = cli.submit("slow.txt", "-q", "--after", second, "--shell", "echo {} >> ran")
        running.communicate(timeout=60)
        assert running.returncode == 4
    finally:
        running.kill()
        running.communicate()
    assert_nothing_ran(cli, (second, third))


def test_a_run_after_a_failure_says_so_and_starts_nothing(cli):
    cli.file("rows.txt", "1\n2\n")
    cli("run", "rows.txt", "-q", "--attempts", "1", "--", "false", check=4)
    done = cli("run", "rows.txt", "--after", "1", "--shell", "echo {} >> ran", check=None)
    assert done.returncode != 0
    assert_nothing_ran(cli, (2,))
