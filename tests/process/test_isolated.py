"""A child that reads untrusted files: any end of it becomes a message, and it never outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import jobctl as package
from jobctl.process.isolated import ChildBounds, ChildEnded, IsolatedChild
from tests.wait import wait_until

CHILD = "tests.process.isolated_child"
ROOT = Path(package.__file__).parents[1]
BOUNDS = ChildBounds(memory=128 << 20, cpu_s=60)


def start(deed, bounds=BOUNDS):
    return IsolatedChild(CHILD, [deed], (), bounds, {})


def is_alive(pid):
    """True if a process exists and is not a zombie, which the init of a container may never reap."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_frames_arrive_until_the_child_ends_well():
    with start("nothing") as child:
        ((head, body),) = child.frames()
    assert (list(head), body) == (["pid"], b"body")
    assert not is_alive(head["pid"])


@pytest.mark.parametrize(
    ("deed", "reason", "text"),
    [
        ("memory", "memory", ""),
        ("bad_alloc", "memory", ""),
        ("abort", "crash", "ended with SIGABRT: assertion failed: left == right"),
        ("segfault", "crash", "ended with SIGSEGV"),
        ("killed", "crash", "was killed (SIGKILL), perhaps because the machine ran out of memory"),
        ("exit", "crash", "ended with exit code 9"),
        ("garbage", "crash", "sent garbage: a message longer than any that is sent"),
    ],
)
def test_the_end_of_a_child_says_why(deed, reason, text, capfd):
    with start(deed) as child, pytest.raises(ChildEnded) as caught:
        list(child.frames())
    assert (caught.value.reason, str(caught.value)) == (reason, text)
    assert capfd.readouterr() == ("", "")


def test_work_without_progress_is_bounded_by_processor_time():
    with start("spin", ChildBounds(memory=BOUNDS.memory, cpu_s=1)) as child, pytest.raises(ChildEnded) as caught:
        list(child.frames())
    assert caught.value.reason == "time"


def test_the_output_of_a_child_is_bounded_and_is_not_shown(capfd):
    with start("chatter") as child, pytest.raises(ChildEnded) as caught:
        list(child.frames())
    assert (caught.value.reason, len(str(caught.value)) < 300) == ("crash", True)
    assert capfd.readouterr() == ("", "")


def test_a_closed_child_is_gone():
    with start("sleep") as child:
        head, _ = next(child.frames())
        assert is_alive(head["pid"])
    assert not is_alive(head["pid"])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the child notices with its next frame")
def test_a_child_does_not_outlive_a_parent_that_was_killed():
    script = (
        "import os, signal; from jobctl.process.isolated import *;"
        f"child = IsolatedChild({CHILD!r}, ['sleep'], (), ChildBounds(1 << 27, 60), {{}});"
        "print(next(child.frames())[0]['pid'], flush=True); signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_alive(pid))
