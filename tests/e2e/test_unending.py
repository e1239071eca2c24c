"""Processes that a daemon may not signal: said, their item waits, all others run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess

import pytest

from tests.wait import wait_until

NOBODY = 65534
#: Root without the right to signal other users, as a user is whose item is a program of root.
WITHOUT_KILL = ("setpriv", "--bounding-set", "-kill", "--inh-caps", "-kill")
SCRIPT = f"""
case $1 in
stuck)
  echo $JOBCTL_ATTEMPT >> began
  [ $JOBCTL_ATTEMPT = 1 ] || exit 0
  exec setpriv --reuid={NOBODY} --clear-groups sleep 300 ;;
*) echo $1 >> others ;;
esac
"""


@pytest.fixture
def weak(cli):
    """Starts a daemon that may not signal every process; the test's processes of another user are ended afterwards."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv")
    pids = []

    def start(slots):
        words = [*WITHOUT_KILL, *cli.program, "daemon", "start", "--slots", str(slots)]
        subprocess.run(words, env=cli.env, cwd=cli.work, check=True, capture_output=True, timeout=120)

    def stuck():
        (found,) = cli.rows("SELECT pid FROM attempts WHERE item = 1 AND attempt = 1")
        pids.append(found[0])
        return found[0]

    start.stuck = stuck
    yield start
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def begin(cli, weak, slots):
    cli.file("item.sh", SCRIPT)
    cli.file("rows.txt", "stuck\n" + "".join(f"other{n}\n" for n in range(4)))
    weak(slots)
    job = cli.submit("rows.txt", "--grace", "0.2s", "--", "sh", cli.work / "item.sh", "{}")
    wait_until(lambda: (cli.work / "began").exists() and is_of_nobody(cli), 60, "it to change its user")
    return job


def is_of_nobody(cli):
    found = cli.rows("SELECT pid FROM attempts WHERE item = 1 AND attempt = 1")
    try:
        return bool(found) and os.stat(f"/proc/{found[0][0]}").st_uid == NOBODY
    except OSError:
        return False


def said(cli, job):
    return {found["code"]: found["message"] for found in cli.document(job)["attention"]}


def test_an_item_that_cannot_be_ended_is_named_and_keeps_its_slot(cli, weak):
    job = begin(cli, weak, 2)
    pid = weak.stuck()
    cli("cancel", f"{job}.1")
    wait_until(lambda: "cannot_end" in said(cli, job), 60, "the message")
    assert f"item 1 cannot be ended and keeps its slot: {pid} sleep" in said(cli, job)["cannot_end"]
    assert "cannot be ended" in cli.home.daemon_log.read_text()
    assert "cannot be ended" in cli("doctor", check=None).stdout
    os.kill(pid, signal.SIGKILL)
    cli("wait", job, check=None)
    assert cli.rows("SELECT state FROM items ORDER BY item") == [(4,), (3,), (3,), (3,), (3,)]


def test_after_a_crash_its_item_waits_until_it_is_gone_and_others_run(cli, weak):
    job = begin(cli, weak, 1)
    pid = weak.stuck()
    supervisor, engine = cli.daemon_pid(), cli.engine_pid()
    os.kill(supervisor, signal.SIGKILL)
    os.kill(engine, signal.SIGKILL)
    wait_until(lambda: cli.daemon_pid() is None, 60, "the lock to be free")
    weak(1)
    others = cli.work / "others"
    wait_until(
        lambda: others.exists() and len(others.read_text().split()) == 4, 60, "the other items to run in its slot"
    )
    assert (cli.work / "began").read_text() == "1\n"
    message = said(cli, job)["barred"]
    assert message.startswith("item 1 does not start: 1 process of an earlier attempt") and str(pid) in message
    assert "does not start" in cli("explain", f"{job}.1").stdout
    assert f"item {job}.1 does not start" in cli.home.daemon_log.read_text()
    os.kill(pid, signal.SIGKILL)
    cli("wait", job)
    assert (cli.work / "began").read_text() == "1\n2\n"
    assert "barred" not in said(cli, job)
    assert cli.rows("SELECT attempt, ending FROM attempts WHERE item = 1") == [(1, 4), (2, 0)]


def test_a_polite_stop_does_not_wait_for_what_an_earlier_daemon_left(cli, weak):
    begin(cli, weak, 1)
    pid = weak.stuck()
    for victim in (cli.daemon_pid(), cli.engine_pid()):
        os.kill(victim, signal.SIGKILL)
    wait_until(lambda: cli.daemon_pid() is None, 60, "the lock to be free")
    weak(1)
    cli("daemon", "stop")
    wait_until(lambda: cli.daemon_pid() is None, 60, "the daemon to end")
    weak(1)
    assert (cli.work / "began").read_text() == "1\n", "the next daemon still knows it"
    os.kill(pid, signal.SIGKILL)
