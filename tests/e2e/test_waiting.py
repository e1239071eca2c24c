"""Waits for real items on a terminal: what they show, and what Ctrl-C leaves running."""

from __future__ import annotations

import pytest

from tests.terminal import Terminal
from tests.wait import wait_until

CONTROL_C = "\x03"
#: It ignores TERM, so a cancel waits for its grace period.
STUBBORN = "trap '' TERM; while true; do sleep 0.2; done"


@pytest.mark.slow
def test_daemon_stop_and_cancel_show_what_they_wait_for(cli):
    cli.file("rows.txt", "a\nb\n")
    job = cli.submit("rows.txt", "--grace", "8s", "--slots", "2", "--", "sh", "-c", STUBBORN, "sh", "{}")
    cli("daemon", "start", "--slots", "2")
    running = "SELECT count(*) FROM attempts WHERE job = ? AND ending IS NULL AND started_at > 0"
    wait_until(lambda: cli.rows(running, job)[0][0] == 2, 60, "two running items")
    stop = Terminal(cli.home, "daemon", "stop", columns=120)
    stop.await_text("the daemon waits for 2 running items · waiting for")
    assert "Ctrl-C leaves, the daemon still stops" in stop.text()
    stop.child.send(CONTROL_C)
    assert stop.end() == 130
    assert "not waiting any more; the daemon stops when its running items have finished" in stop.text()
    first = Terminal(cli.home, "cancel", job, columns=120)
    first.await_text("2 items still running, KILL in")
    assert "Ctrl-C leaves, the cancel continues" in first.text()
    first.child.send(CONTROL_C)
    assert first.end() == 130
    assert f"the cancel continues: jobctl status {job}" in first.text()
    assert cli.wait_state(job, "cancelled")


@pytest.mark.slow
def test_submit_and_wait_show_how_far_the_job_is(cli):
    cli.file("rows.txt", "1\n2\n3\n")
    cli("daemon", "start", "--slots", "1")
    work = cli.work / "go"
    script = f"test $1 = 1 || while ! test -e {work}; do sleep 0.1; done"
    words = ("--", "sh", "-c", script, "sh", "{}")
    terminal = Terminal(cli.home, "submit", cli.work / "rows.txt", "--wait", "--slots", "1", *words, columns=120)
    terminal.await_text("1 of 3 items processed")
    terminal.await_text("Ctrl-C leaves, the job continues")
    work.touch()
    assert terminal.end() == 0
    assert "Ctrl-C" not in terminal.text() and "succeeded" in terminal.text()
