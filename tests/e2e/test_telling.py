"""Notifications about the end of a job: the installed command, real engines, a real server."""

import base64
import json
import os
import signal
import threading

import pytest
from standardwebhooks import Webhook

from tests.engine.receiver import Receiver
from tests.wait import wait_until

PATIENCE_S = 60
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


def deliveries(cli):
    return cli.rows("SELECT id, state, attempts, result FROM deliveries ORDER BY job, round, target")


def test_run_tells_before_it_ends(cli, receiver):
    rows = cli.file("rows.txt", "a\nb\n")
    cli.env["HOOK_SECRET"] = SECRET
    notify = ("--notify", receiver.url("/200"), "--notify-secret-env", "HOOK_SECRET")
    cli("run", rows, "-q", *notify, "--on-done", 'echo "$JOBCTL_STATE" > told; cat > event.json', "--", "true")
    (got,) = receiver.requests
    event = Webhook(SECRET).verify(got.body, got.headers)
    assert (event["type"], event["data"]["counts"]["succeeded"]) == ("job.succeeded", 2)
    assert (cli.work / "told").read_text() == "succeeded\n"
    assert json.loads((cli.work / "event.json").read_text())["data"] == event["data"]
    assert [row[1:] for row in deliveries(cli)] == [("delivered", 1, "HTTP 200"), ("delivered", 1, "exit code 0")]
    assert os.path.isdir(event["data"]["results"]["dir"])


def test_every_round_is_told_of_once(cli, receiver):
    rows = cli.file("rows.txt", "a\n")
    flag = cli.work / "repaired"
    cli(
        "run",
        rows,
        "-q",
        "--attempts",
        1,
        "--notify",
        receiver.url("/200"),
        "--",
        "sh",
        "-c",
        f"test -e {flag}",
        check=4,
    )
    flag.touch()
    cli("retry", "last")
    cli("daemon", "start")
    cli.wait_state(1, "succeeded")
    wait_until(lambda: len(receiver.requests) == 2, PATIENCE_S, "the second event")
    events = [json.loads(got.body) for got in receiver.requests]
    assert [(e["type"], e["data"]["round"]) for e in events] == [("job.failed", 1), ("job.succeeded", 2)]
    assert len({got.headers["webhook-id"] for got in receiver.requests}) == 2


def test_an_engine_that_dies_in_the_middle_of_telling_tells_again(cli):
    rows = cli.file("rows.txt", "a\n")
    told = cli.work / "told"
    gate = cli.work / "gate"
    os.mkfifo(gate)
    cli("daemon", "start")
    cli.submit(rows, "--on-done", f'echo "$JOBCTL_DELIVERY" >> {told}; read line < {gate}', "--", "true")
    wait_until(lambda: told.exists() and told.read_text().count("\n") == 1, PATIENCE_S, "the first try")
    os.kill(cli.engine_pid(), signal.SIGKILL)
    wait_until(lambda: told.read_text().count("\n") == 2, PATIENCE_S, "the second try")
    # The command of the dead engine was ended with it, so the one line reaches the one that waits.
    with open(gate, "w", encoding="ascii") as file:
        file.write("go on\n")
    wait_until(lambda: deliveries(cli)[0][1] == "delivered", PATIENCE_S, "the delivery")
    first, second = told.read_text().split()
    assert first == second == deliveries(cli)[0][0]
    tries = cli.rows("SELECT attempt, status, error FROM delivery_attempts ORDER BY attempt")
    assert [(attempt, status) for attempt, status, _ in tries] == [(1, None), (2, 0)]
    assert "cut off" in tries[0][2]


def test_a_daemon_that_stops_waits_for_the_try_under_way_and_leaves_the_rest(cli, receiver):
    rows = cli.file("rows.txt", "a\n")
    cli("daemon", "start")
    cli.submit(rows, "--notify", receiver.url("/hang"), "--", "true")
    assert receiver.arrived.acquire(timeout=PATIENCE_S)
    stopping = threading.Thread(target=cli, args=("daemon", "stop"))
    stopping.start()
    wait_until(lambda: cli.rows("SELECT state FROM daemon")[0][0] == "draining", PATIENCE_S, "the daemon to drain")
    receiver.gone.set()
    stopping.join(PATIENCE_S)
    assert not stopping.is_alive()
    ((_, state, attempts, result),) = deliveries(cli)
    assert (state, attempts) == ("pending", 1)
    assert result == "the connection was closed before an answer"


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_a_first_ctrl_c_off_a_terminal_says_what_happens(cli, quiet):
    rows = cli.file("rows.txt", "a\nb\n")
    began = cli.work / "began"
    running = cli.start("run", rows, "-j", 1, *quiet, "--shell", f"touch {began}; exec sleep 60")
    wait_until(began.exists, PATIENCE_S, "an item")
    running.send_signal(signal.SIGINT)
    for line in running.stderr:
        if "stopping: running items finish" in line:
            break
    else:
        raise AssertionError("nothing was said")
    running.send_signal(signal.SIGINT)
    rest = running.communicate(timeout=PATIENCE_S)[1]
    assert "ending the running items" in rest
    assert "job 1 is not done; continue it here with: jobctl run --resume 1" in rest
    assert running.returncode == 130
