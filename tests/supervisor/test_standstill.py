"""A supervisor that was stopped for a while does not hold the missed time against its items."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.ports import AttemptId, Dispatch, Executor, Finished, Started
from jobctl.executors.local import LocalExecutor
from jobctl.process.identity import is_dead
from jobctl.supervisor.guest import start_guest
from jobctl.supervisor.killing import Kill
from jobctl.supervisor.protocol import wire
from jobctl.supervisor.standstill import Standstill
from tests.executor_contract import Listener, spec_of
from tests.supervisor.calls.test_calls import Calling, call_spec
from tests.supervisor.harness import SupervisorUnderTest
from tests.wait import wait_until

#: Long enough for a busy machine to start an item within it.
LIMIT_S = 2.5
WAIT = "touch began; while [ ! -e go ]; do sleep 0.02; done; exit 0"


class Item:
    """One item that runs until it is told to end."""

    def __init__(self, executor: Any, root: Path, script: str = WAIT, **changes: Any) -> None:
        self.root, self.executor = root, executor
        executor.define(spec_of(1, root, **{"timeout_s": LIMIT_S, **changes}))
        executor.start([Dispatch(1, 0, 1, (b"sh", b"-c", script.encode()), ())])
        self.heard = Listener(cast("Executor", executor)).until(lambda heard: heard.of(Started))
        self.pid = self.heard.of(Started)[0].pid
        self.began = time.monotonic()
        wait_until((root / "began").exists, 60, "the start of the item")

    def end(self) -> None:
        (self.root / "go").touch()

    def outcome(self) -> Finished:
        return self.heard.finished(1)[0]


def until(moment: float) -> None:
    """Sleep, because no event can be waited for: every process is stopped meanwhile."""
    time.sleep(max(0.0, moment - time.monotonic()))


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """Freeze processes as a control group does: they notice nothing and get no signal."""
    seize, interrupt, detach = 0x4206, 0x4207, 17
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    for pid in pids:
        if ptrace(seize, pid, None, None) or ptrace(interrupt, pid, None, None):
            pytest.skip(f"no process may be traced here: {os.strerror(ctypes.get_errno())}")
        os.waitpid(pid, 0x40000000)
    try:
        yield
    finally:
        for pid in pids:
            ptrace(detach, pid, None, None)


def test_an_item_that_ended_in_time_is_not_a_timeout(supervisor: SupervisorUnderTest, tmp_path: Path) -> None:
    item = Item(supervisor.start(), tmp_path)
    with stopped(supervisor.pid):
        item.end()
        wait_until(lambda: is_dead(item.pid), 60, "the end of the item")
        until(item.began + LIMIT_S + 0.5)
    outcome = item.outcome()
    assert (outcome.ending, outcome.code) == (Ending.EXITED, 0)
    assert outcome.duration_us <= (LIMIT_S + 0.1) * 1e6


def test_an_item_that_ended_by_itself_is_not_cancelled(supervisor: SupervisorUnderTest, tmp_path: Path) -> None:
    item = Item(supervisor.start(), tmp_path, timeout_s=None)
    with stopped(supervisor.pid):
        item.end()
        wait_until(lambda: is_dead(item.pid), 60, "the end of the item")
        item.executor.cancel([AttemptId(1, 0, 1)], 0.0)
    assert item.outcome().ending == Ending.EXITED


def test_an_item_that_continued_alone_still_ends_at_its_limit(supervisor: SupervisorUnderTest, tmp_path: Path) -> None:
    item = Item(supervisor.start(), tmp_path)
    with stopped(supervisor.pid):
        until(item.began + LIMIT_S + 1.5)
    assert item.outcome().ending == Ending.TIMED_OUT


def test_an_item_that_was_stopped_with_the_supervisor_has_the_rest_of_its_time(
    supervisor: SupervisorUnderTest, tmp_path: Path
) -> None:
    item = Item(supervisor.start(), tmp_path)
    with stopped(item.pid), stopped(supervisor.pid):
        until(item.began + LIMIT_S + 1.5)
    until(time.monotonic() + 0.5)
    item.end()
    assert item.outcome().ending == Ending.EXITED


def test_a_call_that_was_stopped_with_the_supervisor_has_the_rest_of_its_time(
    supervisor: SupervisorUnderTest, tmp_path: Path
) -> None:
    heard, pid = calling(supervisor, tmp_path)
    began = time.monotonic()
    with stopped(pid), stopped(supervisor.pid):
        until(began + LIMIT_S + 1.5)
    until(time.monotonic() + 0.5)
    (tmp_path / "go").touch()
    assert heard.finished(1)[0].ending == Ending.EXITED


def test_time_that_all_of_us_stood_still_does_not_count(supervisor: SupervisorUnderTest, tmp_path: Path) -> None:
    item = Item(supervisor.start(), tmp_path)
    with frozen(supervisor.pid, item.pid):
        until(item.began + LIMIT_S + 1.5)
    item.end()
    assert item.outcome().ending == Ending.EXITED


def test_the_limit_still_applies_after_a_standstill(supervisor: SupervisorUnderTest, tmp_path: Path) -> None:
    item = Item(supervisor.start(), tmp_path)
    with frozen(supervisor.pid, item.pid):
        until(item.began + LIMIT_S + 1.5)
    assert item.outcome().ending == Ending.TIMED_OUT


def test_a_grace_is_not_used_up_while_all_of_us_stand_still(supervisor: SupervisorUnderTest, tmp_path: Path) -> None:
    script = f"trap 'touch told; while [ ! -e bye ]; do sleep 0.02; done; exit 5' TERM; {WAIT}"
    item = Item(supervisor.start(), tmp_path, script, timeout_s=None)
    item.executor.cancel([AttemptId(1, 0, 1)], 2.0)
    wait_until((tmp_path / "told").exists, 60, "TERM")
    with frozen(supervisor.pid, item.pid):
        until(time.monotonic() + 3.5)
    (tmp_path / "bye").touch()
    outcome = item.outcome()
    assert (outcome.ending, outcome.code) == (Ending.CANCELLED, -5), "its own exit, not KILL"


CALL = """
import os, time
def f(line):
    open("began", "w").close()
    while not os.path.exists("go"): time.sleep(0.02)
    open("over", "w").close()
"""


def calling(supervisor: SupervisorUnderTest, root: Path) -> tuple[Listener, int]:
    (root / "waits.py").write_text(CALL)
    executor = Calling(supervisor.start(), root)
    executor.define(spec_of(1, root, timeout_s=LIMIT_S, call=call_spec("waits:f")))
    executor.start([Dispatch(1, 0, 1, (b"x",), ())])
    heard = Listener(cast("Executor", executor)).until(lambda heard: heard.of(Started))
    wait_until((root / "began").exists, 60, "the start of the call")
    return heard, heard.of(Started)[0].pid


def test_a_call_that_ended_in_time_is_not_a_timeout(supervisor: SupervisorUnderTest, tmp_path: Path) -> None:
    heard, _ = calling(supervisor, tmp_path)
    began = time.monotonic()
    with stopped(supervisor.pid):
        (tmp_path / "go").touch()
        wait_until((tmp_path / "over").exists, 60, "the end of the call")
        until(began + LIMIT_S + 0.5)
    assert heard.finished(1)[0].ending == Ending.EXITED


def test_a_call_that_stood_still_with_us_has_the_rest_of_its_time(
    supervisor: SupervisorUnderTest, tmp_path: Path
) -> None:
    heard, pid = calling(supervisor, tmp_path)
    began = time.monotonic()
    with frozen(supervisor.pid, pid):
        until(began + LIMIT_S + 1.5)
    (tmp_path / "go").touch()
    assert heard.finished(1)[0].ending == Ending.EXITED


def test_a_lease_counts_from_when_it_was_given() -> None:
    guest = start_guest()
    try:
        executor = LocalExecutor(guest.end, fresh=True)
        executor.adopt()
        executor._send(wire.BEAT, (30.0, time.monotonic() - 31.0))
        guest.process.wait(60)
    finally:
        guest.end.close()
        guest.process.kill()
        guest.process.wait()


@pytest.mark.parametrize(
    ("planned", "woke", "gap"),
    [(10.0, 10.4, 0.0), (10.0, 14.0, 14.0), (float("inf"), 99.0, 0.0), (0.0, 0.5, 0.0), (0.0, 3.0, 3.0)],
)
def test_a_standstill_is_a_late_wake_up(planned: float, woke: float, gap: float) -> None:
    standstill = Standstill(0.0)
    standstill.plan(planned)
    assert standstill.gap_s(woke) == gap
    standstill.plan(woke + 1)
    assert standstill.gap_s(woke + 1) == 0


def test_only_a_grace_that_was_running_is_prolonged() -> None:
    waits, over = Kill(1, None, 10.0, 5.0), Kill(2, None, 3.0, 0.0)
    for kill in (waits, over):
        kill.extend_deadline(8.0, 18.0)
    assert (waits.kill_at, over.kill_at) == (23.0, 3.0)
