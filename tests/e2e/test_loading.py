"""Items of a worker that still loads have not run: whatever stops it then, they lose no attempt."""

from __future__ import annotations

import json

import pytest

from tests.stages import few
from tests.wait import wait_until

MODULE = """
import os, time
if "JOBCTL_SLOT" in os.environ:  # in a worker, not when it is checked at submit
    open(f"loading-{os.getpid()}", "w").close()
    while not os.path.exists("go"):
        time.sleep(0.01)
def f(id):
    with open("ran", "a") as file:
        file.write(f"{id}\\n")
    return {"ok": 1}
"""


@pytest.fixture
def loading(cli):
    """A daemon, and a way to submit a job whose workers load until ``go`` exists."""
    cli.file("slow.py", MODULE)
    cli.file("rows.csv", "id\n1\n2\n3\n4\n")
    cli("daemon", "start", "-j", "2")

    def submit(*options):
        job = cli.submit("rows.csv", "--call", "slow:f", "--attempts", "1", *options)
        wait_until(lambda: list(cli.work.glob("loading-*")), 60, "a worker that loads")
        return job

    return submit


def in_hand(cli, job):
    return cli.rows("SELECT running FROM jobs WHERE id = ?", job)[0][0]


def go_and_check(cli, job):
    """Let the workers load: every row runs once, in its first attempt."""
    (cli.work / "go").touch()
    cli("wait", job)
    assert sorted((cli.work / "ran").read_text().split()) == ["1", "2", "3", "4"]
    items = json.loads(cli("items", job, "--json").stdout)["items"]
    assert [(item["state"], item["attempts"]) for item in items] == [("succeeded", 1)] * 4


@pytest.mark.parametrize(
    ("stop", "go_on"),
    [(("pause", "1"), ("resume", "1")), (("pause", "--queue", "default"), ("resume", "--queue", "default"))],
)
def test_a_pause_gives_rows_back(cli, loading, stop, go_on):
    job = loading("--timeout", "1s")
    cli(*stop)
    wait_until(lambda: in_hand(cli, job) == 0, 60, "the return of the rows")
    cli(*go_on)
    go_and_check(cli, job)


def test_fewer_slots_and_a_pause_that_ends_before_the_load(cli, loading):
    job = loading()
    cli("pause", job)
    cli("resume", job)
    cli("set", job, "slots=1")
    go_and_check(cli, job)


@pytest.mark.parametrize("words", few([("daemon", "stop"), ("daemon", "stop", "--now")], [("daemon", "stop")]))
def test_a_stop_gives_rows_back(cli, loading, words):
    job = loading()
    cli(*words)
    assert cli.rows("SELECT count(*) FROM attempts WHERE ending IS NOT NULL")[0][0] == 0
    (cli.work / "go").touch()
    cli("daemon", "start", "-j", "2")
    go_and_check(cli, job)


def test_a_cancelled_row_is_the_only_one_that_does_not_run(cli, loading):
    job = loading()
    cli("cancel", f"{job}.1")
    (cli.work / "go").touch()
    cli("wait", job, check=None)
    assert sorted((cli.work / "ran").read_text().split()) == ["2", "3", "4"]
    (first,) = json.loads(cli("items", f"{job}.1", "--json").stdout)["items"]
    assert (first["state"], first["attempts"]) == ("unprocessed", 0)


def test_a_deadline_leaves_rows_unprocessed(cli, loading):
    job = loading("--deadline", "2s")
    cli("wait", job, check=None)
    states = [item["state"] for item in json.loads(cli("items", job, "--json").stdout)["items"]]
    assert states == ["unprocessed"] * 4


def test_status_says_that_workers_load(cli, loading):
    job = loading()

    def reason():
        return json.loads(cli("status", job, "--json").stdout)["state_reason"]

    wait_until(lambda: "workers have been loading slow:f" in reason(), 60, "its first line")
    go_and_check(cli, job)
