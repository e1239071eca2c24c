"""kill -9 of the engine, of the supervisor and of both: nothing lost, nothing twice at the same time, counts right."""

import contextlib
import os
import signal

import pytest

from jobctl.config import Home
from jobctl.engine.housekeeping import HEARTBEAT_US
from jobctl.process.daemon_handle import DaemonHandle
from jobctl.process.start_options import StartOptions
from jobctl.process.sweep import leftovers
from tests.wait import wait_until

ROWS = 40
#: Each item says when it starts and when it ends, in one write each, in a file outside the store.
WITNESS = 'id="$JOBCTL_ITEM $JOBCTL_ATTEMPT"; echo "start $id" >> witness; sleep 0.1; echo "end $id" >> witness'


def witnessed(cli, word):
    path = cli.work / "witness"
    if not path.exists():
        return []
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    return [(int(item), int(attempt)) for said, item, attempt in lines if said == word]


def begin(cli, *options):
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(ROWS)))
    cli("daemon", "start", "--slots", 4)
    job = cli.submit("rows.txt", *options, "--", "sh", "-c", WITNESS)
    wait_until(lambda: len(witnessed(cli, "end")) >= 6, 60, "the first items to end")
    return job


def check(cli, job, *, at_most_once=False):
    interrupted = cli.rows("SELECT item FROM attempts WHERE job = ? AND ending = 4", job)
    starts = [item for item, _ in witnessed(cli, "start")]
    ends = set(witnessed(cli, "end"))
    for item in range(1, ROWS + 1):
        allowed = 1 + (0 if at_most_once else sum(row[0] == item for row in interrupted))
        assert starts.count(item) <= allowed, f"item {item} started {starts.count(item)} times"
    for item, attempt in cli.rows("SELECT item, attempt FROM items WHERE job = ? AND state = 3", job):
        assert (item, attempt) in ends, f"item {item} succeeded without its end being seen"
    counted = dict(cli.rows("SELECT state, count(*) FROM items WHERE job = ? GROUP BY state", job))
    counts = cli.status(job)["counts"]
    assert (counts["succeeded"], counts["failed"]) == (counted.get(3, 0), counted.get(4, 0))
    assert cli.rows("PRAGMA integrity_check") == [("ok",)]


def test_a_killed_engine_is_followed_by_one_that_adopts_what_runs(cli):
    job = begin(cli)
    first = cli.engine_pid()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: cli.engine_pid() != first, 60, "a new engine")
    cli("wait", job)
    assert sorted(set(witnessed(cli, "start"))) == sorted(witnessed(cli, "start"))
    assert cli.rows("SELECT count(*) FROM attempts WHERE ending = 4") == [(0,)]
    check(cli, job)


@pytest.mark.parametrize("victims", ["supervisor", "both"])
def test_after_the_death_of_the_supervisor_the_next_daemon_finishes(cli, victims):
    job = begin(cli)
    supervisor, engine = cli.daemon_pid(), cli.engine_pid()
    os.kill(supervisor, signal.SIGKILL)
    if victims == "both":
        os.kill(engine, signal.SIGKILL)
    wait_until(lambda: cli.daemon_pid() is None, 60, "the lock to be free")
    document = cli.status(job)
    assert document["daemon"]["state"] == "down"
    assert document["attention"][0]["code"] == "daemon_down"
    cli("daemon", "start", "--slots", 4)
    cli("wait", job)
    check(cli, job)


def test_at_most_once_runs_nothing_twice(cli):
    job = begin(cli, "--on-crash", "fail")
    os.kill(cli.daemon_pid(), signal.SIGKILL)
    wait_until(lambda: cli.daemon_pid() is None, 60, "the lock to be free")
    cli("daemon", "start", "--slots", 4)
    cli("wait", job, check=None)
    check(cli, job, at_most_once=True)
    retry = cli.status(job)["retry"]
    assert retry["outcome_unknown"] >= 1


def test_what_ended_while_no_engine_lived_is_recorded_at_once(cli):
    cli.file("rows.txt", "1\n")
    cli("daemon", "start", "--slots", 1)
    job = cli.submit("rows.txt", "--", "sh", "-c", "touch here; while [ ! -e go ]; do sleep 0.02; done; touch gone")
    wait_until((cli.work / "here").exists, 60, "the item to run")
    engine = cli.engine_pid()
    os.kill(engine, signal.SIGSTOP)
    (cli.work / "go").touch()
    wait_until((cli.work / "gone").exists, 60, "the item to end")
    os.kill(engine, signal.SIGKILL)
    cli("wait", job)
    ((waited,),) = cli.rows("SELECT jobs.finished_at - daemon.started_at FROM jobs, daemon")
    assert 0 <= waited < HEARTBEAT_US * 0.9, "it waited for the next heartbeat"


def test_cancel_ends_the_whole_tree(cli):
    cli.file("escape.sh", 'trap "" TERM; echo $$ >> pids; while :; do sleep 1; done')
    cli.file("rows.txt", "1\n2\n")
    cli("daemon", "start", "--slots", 2)
    job = cli.submit("rows.txt", "--grace", "0.5s", "--", "sh", "-c", "setsid sh escape.sh & exec sh escape.sh")
    pids = cli.work / "pids"
    wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 4, 60, "every process to be up")
    cli("cancel", job)
    left = [pid for pid in map(int, pids.read_text().split()) if is_alive(pid)]
    assert left == []
    assert cli.status(job)["state"] == "cancelled"


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def watches(process):
    """Whether a command has begun to wait for the store to change."""
    folder = f"/proc/{process.pid}/fd"
    for fd in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # it was closed meanwhile
            if os.readlink(f"{folder}/{fd}") == "anon_inode:inotify":
                return True
    return False


def test_with_its_store_a_daemon_ends_and_all_that_it_ran(cli):
    cli.file("rows.txt", "1\n2\n")
    cli("daemon", "start")
    cli.submit("rows.txt", "--shell", "echo {} >> begun; exec sleep 987654")
    wait_until(lambda: (cli.work / "begun").exists(), 60, "an item to run")
    waiting = cli.start("wait", 1)
    daemon = DaemonHandle.find(cli.home.lock)
    wait_until(lambda: watches(waiting), 60, "the wait")
    cli.home.root.rename(cli.work / "away")
    _, said = waiting.communicate(timeout=60)
    assert (waiting.returncode, "was removed" in said) == (9, True)
    assert daemon.wait_gone(60)
    daemon.close()
    assert not cli.home.root.exists(), "and makes no other in its place"
    assert "all its processes end" in (cli.work / "away" / "daemon.log").read_text()
    assert leftovers(StartOptions(Home(cli.work / "away"), 1).store_id) == []
