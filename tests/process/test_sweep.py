"""The processes that a sweep must not overlook."""

import itertools
import os
import subprocess

from jobctl.process import sweep, tree
from jobctl.process.identity import Tagger
from tests.wait import wait_executed

STORE = "a-store-of-test-sweep"


def gone():
    """The pid of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_child_of_a_process_that_ended_before_its_examination_is_found(monkeypatch):
    tagger = Tagger(STORE)
    tagger.mark(7)
    env = {**os.environ, "JOBCTL_COOKIE": f"{STORE}.1.1.1"}
    child = subprocess.Popen(["sleep", "60"], env=env)
    wait_executed(child.pid)
    tagger.unmark()
    parent = gone()
    lists = itertools.chain([[parent]], itertools.repeat([child.pid]))
    monkeypatch.setattr(tree, "all_pids", lambda: next(lists))
    try:
        sweep.sweep(STORE, grace_s=5)
        assert child.poll() is not None or child.wait(60)
    finally:
        child.kill()
        child.wait()


def test_the_search_ends_while_processes_start_and_end_all_the_time(monkeypatch):
    numbers = itertools.count(1 << 23)
    monkeypatch.setattr(tree, "all_pids", lambda: [next(numbers)])
    assert sweep.sweep(STORE) == []
