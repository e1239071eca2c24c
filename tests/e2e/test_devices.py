"""No device is in the hands of two items at once, whatever jobs they are of, and none is lost."""

from __future__ import annotations

import os
import signal

import pytest

from jobctl.process.start_options import StartOptions
from jobctl.process.sweep import leftovers
from tests.wait import wait_until

#: Takes each of its devices as a folder, which only one can make, and leaves a message when another item has it.
ITEM = """
release() { for device in $(echo $CUDA_VISIBLE_DEVICES | tr , ' '); do rmdir held-$device; done; }
trap 'release; exit 143' TERM
for device in $(echo $CUDA_VISIBLE_DEVICES | tr , ' '); do
  mkdir held-$device || echo "$device" >> taken-twice
  echo "$device" >> used
done
sleep $1
release
"""


@pytest.fixture
def items(cli):
    """Rows, and a program that holds its devices for a moment."""
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(24)))
    cli.file("item.sh", ITEM)
    cli.env["CUDA_VISIBLE_DEVICES"] = "3,5,7"
    return cli


def submitted(cli, devices, *options, seconds="0.02"):
    return cli.submit("rows.txt", "--gpus-per-item", devices, *options, "--", "sh", "item.sh", seconds)


def used(cli):
    path = cli.work / "used"
    return path.read_text().split() if path.exists() else []


def assert_each_had_its_own(cli, uses):
    assert not (cli.work / "taken-twice").exists(), (cli.work / "taken-twice").read_text()
    assert len(used(cli)) == uses
    assert set(used(cli)) <= {"3", "5", "7"}


@pytest.mark.parametrize("spawners", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_three_jobs_share_the_devices_of_a_daemon(items, spawners):
    items.env["JOBCTL_DAEMON_SPAWNERS"] = str(spawners)
    items("daemon", "start", "-j", 9)  # only the first spawner lends devices, and a third of the slots is its own
    # Short items alone may never overlap on a slow machine, and then the last device is never lent.
    first = submitted(items, 1, seconds="600")
    wait_until(lambda: set(used(items)) == {"3", "5", "7"}, 60, "all devices to be lent")
    jobs = [submitted(items, 1), submitted(items, 2, "-j", 4), submitted(items, 1)]
    items("cancel", first)
    items("wait", *jobs)
    assert_each_had_its_own(items, 3 + 24 + 48 + 24)


def test_a_run_while_a_daemon_runs_leaves_its_items_to_the_daemon(items):
    items("daemon", "start", "-j", 6)
    job = submitted(items, 1)
    items("run", "rows.txt", "--gpus-per-item", 2, "--", "sh", "item.sh", "0.02")
    items("wait", job)
    assert_each_had_its_own(items, 24 + 48)


@pytest.mark.slow
def test_items_that_are_ended_give_their_devices_back(items):
    items("daemon", "start", "-j", 6)
    stuck = submitted(items, 1, seconds="600")
    wait_until(lambda: len(used(items)) == 3, 60, "all devices to be lent")
    waiting = submitted(items, 3)
    items("cancel", f"{stuck}.1")
    wait_until(lambda: len(used(items)) == 4, 60, "the device of the item that was cancelled to be lent again")
    items("cancel", stuck)
    items("wait", waiting)
    assert_each_had_its_own(items, 4 + 72)


@pytest.mark.slow
def test_an_engine_that_is_killed_loses_no_device_and_lends_none_twice(items):
    items("daemon", "start", "-j", 6)
    jobs = [submitted(items, 1, seconds="0.1"), submitted(items, 1, seconds="0.1")]
    for _ in range(3):
        seen = len(used(items))
        wait_until(lambda seen=seen: len(used(items)) > seen + 3, 60, "items to start")
        engine = items.engine_pid()
        os.kill(engine, signal.SIGKILL)
        wait_until(lambda engine=engine: items.engine_pid() != engine, 60, "the next engine")
    items("wait", *jobs)
    assert_each_had_its_own(items, 48)


@pytest.mark.slow
def test_a_supervisor_that_is_killed_frees_them_for_the_next(items):
    items("daemon", "start", "-j", 6)
    job = submitted(items, 1, seconds="600")
    wait_until(lambda: len(used(items)) == 3, 60, "all devices to be lent")
    os.kill(items.daemon_pid(), signal.SIGKILL)
    wait_until(lambda: items.daemon_pid() is None, 60, "the daemon to be gone")
    # The engine of a dead supervisor ends its items: TERM lets them give their devices back, KILL does not.
    store = StartOptions(items.home, 1).store_id
    wait_until(lambda: not leftovers(store, folder=str(items.home.root)), 60, "the items to be gone")
    for device in items.work.glob("held-*"):
        device.rmdir()
    items("daemon", "start", "-j", 6)
    wait_until(lambda: len(used(items)) == 6, 60, "all devices to be lent again")
    assert_each_had_its_own(items, 6)
    items("cancel", job, "--now")


def test_the_setting_names_them_where_nothing_is_found(items):
    del items.env["CUDA_VISIBLE_DEVICES"]
    items.env["JOBCTL_DAEMON_GPUS"] = "3,7"
    items("run", "rows.txt", "--gpus-per-item", 1, "--", "sh", "item.sh", "0.02")
    assert_each_had_its_own(items, 24)
    assert set(used(items)) == {"3", "7"}


def test_without_any_the_items_say_what_is_lacking(items):
    items.env["CUDA_VISIBLE_DEVICES"] = ""
    items("run", "rows.txt", "--gpus-per-item", 1, "--", "true", check=None)
    status = items.status(1)
    assert "none is found here: name them in the setting daemon.gpus" in status["failures"]["groups"][0]["message"]


@pytest.mark.parametrize("value", ["0,0", "0,,1", "a b"])
def test_a_setting_that_names_none_or_one_twice_is_refused(items, value):
    items.env["JOBCTL_DAEMON_GPUS"] = value
    assert "JOBCTL_DAEMON_GPUS" in items("daemon", "start", check=2).stderr
