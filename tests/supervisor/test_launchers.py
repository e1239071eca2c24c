"""Items that other programs start, through a real supervisor."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from jobctl.domain.endings import Ending
from jobctl.domain.ports import Calls, CallSpec, Dispatch, Finished
from jobctl.executors.local import LocalExecutor
from tests.executor_contract import Listener, batch, spec_of
from tests.wait import wait_until

NICE = (b"nice", b"-n", b"7")
#: Prints how nice the item is, and its words.
SHOW = b'echo "$(nice) $0 $1" >> said'


def run(executor: LocalExecutor, root: Path, argv: tuple[bytes, ...], *launchers: tuple[bytes, ...]) -> Finished:
    executor.define(spec_of(1, root, launchers=launchers))
    executor.start(batch(1, argv, range(1)))
    (outcome,) = Listener(executor).finished(1)
    return outcome


def test_the_launcher_starts_the_command_and_changes_nothing_else(executor: LocalExecutor, tmp_path: Path) -> None:
    outcome = run(executor, tmp_path, (b"sh", b"-c", SHOW, b"a b", b"$c"), NICE)
    assert (outcome.ending, outcome.code) == (Ending.EXITED, 0)
    assert (tmp_path / "said").read_text() == f"{os.getpriority(os.PRIO_PROCESS, 0) + 7} a b $c\n"


def test_launchers_start_each_other(executor: LocalExecutor, tmp_path: Path) -> None:
    run(executor, tmp_path, (b"sh", b"-c", SHOW, b"x", b"y"), NICE, (b"env", b"nice", b"-n", b"2"))
    assert (tmp_path / "said").read_text().split()[0] == str(os.getpriority(os.PRIO_PROCESS, 0) + 9)


def test_the_process_of_the_item_is_the_command_itself(executor: LocalExecutor, tmp_path: Path) -> None:
    run(executor, tmp_path, (b"sh", b"-c", b"echo $$ $PPID > pids; kill -TERM $$"), NICE)
    own, parent = (tmp_path / "pids").read_text().split()
    assert own != parent
    outcome = run(executor, tmp_path, (b"sh", b"-c", b"kill -TERM $$"), NICE)
    assert (outcome.ending, outcome.code) == (Ending.SIGNALLED, 15)


@pytest.mark.parametrize("launchers", [(), (NICE,)], ids=["without", "with"])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        (b"no-such-program", b"no-such-program: command not found on the job's PATH"),
        (b"./absent", b"./absent: no such file"),
        (b"./plain", b"./plain: not executable"),
        (b"./folder", b"./folder: is a directory"),
    ],
)
def test_a_command_that_cannot_start_is_reported_as_without_a_launcher(
    executor: LocalExecutor, tmp_path: Path, name: bytes, message: bytes, launchers: tuple[tuple[bytes, ...], ...]
) -> None:
    (tmp_path / "plain").write_text("")
    (tmp_path / "folder").mkdir()
    outcome = run(executor, tmp_path, (name,), *launchers)
    assert (outcome.ending, outcome.err_tail) == (Ending.NOT_STARTED, message)


def test_a_program_that_is_gone_is_looked_for_again(executor: LocalExecutor, tmp_path: Path) -> None:
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "tool").write_text(f"#!/bin/sh\necho {folder} >> said\n")
        (tmp_path / folder / "tool").chmod(0o755)
    executor.define(spec_of(1, tmp_path, launchers=(NICE,), env=(f"PATH={tmp_path}/first:{tmp_path}/second".encode(),)))
    executor.start([Dispatch(1, 1, 1, (b"tool",), ())])
    Listener(executor).finished(1)
    (tmp_path / "first" / "tool").unlink()
    executor.start([Dispatch(1, 2, 1, (b"tool",), ())])
    Listener(executor).finished(1)
    assert (tmp_path / "said").read_text().split() == ["first", "second"]


def test_a_launcher_that_is_missing_is_named(executor: LocalExecutor, tmp_path: Path) -> None:
    outcome = run(executor, tmp_path, (b"true",), (b"no-such-launcher",))
    assert outcome.ending == Ending.NOT_STARTED
    assert outcome.err_tail == b"no-such-launcher: not installed where this item would run"


def test_a_change_applies_to_later_starts(executor: LocalExecutor, tmp_path: Path) -> None:
    run(executor, tmp_path, (b"sh", b"-c", SHOW), NICE)
    run(executor, tmp_path, (b"sh", b"-c", SHOW))
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert [int(line.split()[0]) for line in (tmp_path / "said").read_text().splitlines()] == [own + 7, own]


ITEMS = """
import os, time

def say(line):
    with open("said", "a") as file:
        file.write(f"{os.getpriority(os.PRIO_PROCESS, 0)} {os.getpid()}\\n")
    while line == "wait" and not os.path.exists("gate"):
        time.sleep(0.02)
"""


def test_a_worker_is_replaced_when_its_launchers_change_and_only_then(executor: LocalExecutor, tmp_path: Path) -> None:
    (tmp_path / "items.py").write_text(ITEMS)
    call = CallSpec(os.fsencode(sys.executable), "items:say", "", "", "lines", (), 0)
    executor.resize(1)
    for item, launchers in enumerate(((), (NICE,), (NICE,), ())):
        executor.define(spec_of(1, tmp_path, call=call, launchers=launchers))
        executor.start([Dispatch(1, item, 1, (b"x",), ())])
        Listener(executor).until(lambda heard: heard.of(Calls))
    said = [line.split() for line in (tmp_path / "said").read_text().splitlines()]
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert [int(niceness) for niceness, _ in said] == [own, own + 7, own + 7, own]
    assert len({pid for _, pid in said}) == 3


def test_a_call_that_runs_when_the_launchers_change_comes_to_its_end(executor: LocalExecutor, tmp_path: Path) -> None:
    (tmp_path / "items.py").write_text(ITEMS)
    call = CallSpec(os.fsencode(sys.executable), "items:say", "", "", "lines", (), 0)
    executor.resize(1)
    executor.define(spec_of(1, tmp_path, call=call))
    executor.start([Dispatch(1, 1, 1, (b"wait",), ())])
    wait_until((tmp_path / "said").exists, 60, "the first call")
    executor.define(spec_of(1, tmp_path, call=call, launchers=(NICE,)))
    executor.start([Dispatch(1, 2, 1, (b"x",), ())])
    (tmp_path / "gate").touch()
    heard = Listener(executor).until(lambda heard: sum(len(event.records) for event in heard.of(Calls)) == 2)
    assert [event.failed for event in heard.of(Calls)] == [0, 0]
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert [int(line.split()[0]) for line in (tmp_path / "said").read_text().splitlines()] == [own, own + 7]
