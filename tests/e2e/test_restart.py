"""``jobctl daemon restart``: the next daemon takes over, and no item is lost or runs twice."""

from __future__ import annotations

import json
import signal

import pytest

from jobctl.process import lock
from tests.wait import wait_until

#: An item that runs until the file ``go`` exists, and notes each start.
_WAITS = "echo {} >> started; until [ -e go ]; do sleep 0.05; done"


def _daemon(cli):
    return json.loads(cli("daemon", "status", "--json").stdout)


def _is_in_line(cli):
    return lock.next_in_line(str(cli.home.lock)) is not None


@pytest.fixture
def waiting_job(cli):
    """A daemon with one slot, and a job of three items of which the first one runs."""
    cli.file("rows.txt", "a\nb\nc\n")
    cli("daemon", "start", "--slots", 1)
    job = cli.submit("rows.txt", "--grace", "0", "--shell", _WAITS)
    wait_until((cli.work / "started").exists, 60, "the first item")
    return job


def test_without_a_daemon_one_is_started(cli):
    done = cli("daemon", "restart", "--slots", 3)
    assert done.stderr.startswith("no daemon was running; the daemon is running (process ")
    assert _daemon(cli)["slots"] == 3


def test_options_that_were_given_stay_and_settings_are_read_again(cli):
    cli("daemon", "start")
    cli("daemon", "restart", env={"JOBCTL_DAEMON_SLOTS": "5"})
    assert _daemon(cli)["slots"] == 5, "the setting decided, and it has changed"
    cli("daemon", "restart", "--slots", 3)
    before = cli.daemon_pid()
    cli("daemon", "restart", env={"JOBCTL_DAEMON_SLOTS": "5"})
    assert _daemon(cli)["slots"] == 3 and cli.daemon_pid() != before
    document = json.loads(cli("daemon", "restart", "--slots", 2, "--json").stdout)
    assert (document["state"], document["slots"]) == ("up", 2)


def test_running_items_finish_and_the_others_follow(cli, waiting_job):
    before = cli.daemon_pid()
    command = cli.start("daemon", "restart")
    wait_until(lambda: _is_in_line(cli), 60, "the next daemon")
    (cli.work / "go").touch()
    _, said = command.communicate(timeout=60)
    assert command.returncode == 0, said
    assert cli.daemon_pid() != before
    assert cli.wait_state(waiting_job, "succeeded") == "succeeded"
    assert (cli.work / "started").read_text().split() == ["a", "b", "c"], "each item has run once"


def test_after_ctrl_c_the_next_daemon_still_starts(cli, waiting_job):
    command = cli.start("daemon", "restart")
    wait_until(lambda: cli.rows("SELECT state FROM daemon") == [("draining",)], 60, "the stop")
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=60)
    assert command.returncode == 130 and "the next daemon starts when the running items have finished" in said
    (cli.work / "go").touch()
    assert cli.wait_state(waiting_job, "succeeded") == "succeeded"


def test_after_a_timeout_the_next_daemon_waits_in_line_with_its_options(cli, waiting_job):
    late = cli("daemon", "restart", "--slots", 2, "--timeout", "100ms", check=75)
    assert "the daemon still waits for running items after 100ms; the next one (process" in late.stderr
    assert _is_in_line(cli)
    cli("daemon", "restart", "--now")
    assert _daemon(cli)["slots"] == 2
    (cli.work / "go").touch()
    assert cli.wait_state(waiting_job, "succeeded") == "succeeded"
    started = (cli.work / "started").read_text().split()
    assert sorted(set(started)) == ["a", "b", "c"] and started.count("a") == 2, "the item that was ended runs again"


def test_a_mistake_stops_nothing(cli):
    cli("daemon", "start")
    before = cli.daemon_pid()
    assert "--timeout: 'soon' is not a duration" in cli("daemon", "restart", "--timeout", "soon", check=2).stderr
    assert "--executor 'x' is not known" in cli("daemon", "restart", "--executor", "x", check=2).stderr
    assert cli.daemon_pid() == before


def test_a_daemon_in_the_foreground_is_left_alone(cli):
    command = cli.start("daemon", "run")
    wait_until(lambda: cli("daemon", "status", check=None).stdout.startswith("the daemon is up"), 60, "the daemon")
    said = cli("daemon", "restart", check=75).stderr
    assert "the daemon runs in the foreground (process" in said and "jobctl daemon stop" in said
    cli("daemon", "stop")
    command.communicate(timeout=60)
