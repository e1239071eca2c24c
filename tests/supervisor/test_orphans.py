"""Processes that outlived their parent are found, even if some end during the look."""

from __future__ import annotations

import os
import subprocess

from jobctl.process.identity import Tagger
from jobctl.supervisor.orphans import NOBODY, Orphans


def test_the_children_of_one_that_ends_during_the_look_are_found() -> None:
    orphans = Orphans(Tagger("none"))
    parent = os.fork()
    if parent == 0:
        os._exit(0)
    os.waitid(os.P_PID, parent, os.WEXITED | os.WNOWAIT)  # it has ended, and it is not reaped
    child = subprocess.Popen(["sleep", "600"])
    # As the kernel shows them when the parent ends right after the first list was read.
    lists = iter([[parent], [child.pid], [child.pid]])
    orphans._children.pids = lambda: next(lists)  # type: ignore[method-assign]
    try:
        assert orphans.look(0, lambda pid: False, lambda pid: ()) == [child.pid]
        assert orphans.pids == {child.pid: NOBODY}
    finally:
        child.kill()
        child.wait()


def test_one_that_is_listed_and_cannot_be_reaped_is_looked_at_once() -> None:
    orphans = Orphans(Tagger("none"))
    stranger = os.getppid()
    orphans._children.pids = lambda: [stranger]  # type: ignore[method-assign]
    orphans._children.count = lambda: 1  # type: ignore[method-assign]
    assert orphans.look(0, lambda pid: False, lambda pid: ()) == []
