"""A process of jobctl is recognized even after it has tried to hide."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from jobctl.process.identity import Handle, Tagger, boot_id, environment, is_dead, start_time, stat_fields
from tests.wait import wait_executed, wait_until

_TAG_AND_RUN = """
import subprocess, sys
from jobctl.process.identity import Tagger
Tagger("store").mark(77)
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "1000"], env={"A": "1", "LAST_A": "2", "EMPTY": ""}) as process:
        wait_executed(process.pid)
        yield process
        process.kill()


@pytest.mark.parametrize("way", ["", "setsid", "env -i setsid"])
def test_a_tag_survives_everything(way: str) -> None:
    argv = [sys.executable, "-c", _TAG_AND_RUN, *way.split(), "sleep", "1000"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert Tagger("store").serial_of(pid) == 77
        assert Tagger("another store").serial_of(pid) is None
        assert Tagger("store").serial_of(os.getpid()) is None
        os.kill(pid, signal.SIGKILL)


def test_a_tag_changes_no_limit_that_the_system_looks_at() -> None:
    before = resource.getrlimit(10)
    tagger = Tagger("store")
    tagger.mark(5)
    assert tagger.serial_of(os.getpid()) == 5
    tagger.unmark()
    assert tagger.serial_of(os.getpid()) is None
    assert resource.getrlimit(10) == before


def test_no_process_has_a_tag_that_does_not_exist() -> None:
    assert Tagger("store").serial_of(2**22 + 1) is None


def test_the_environment_is_read_by_whole_names(sleeper: subprocess.Popen[bytes]) -> None:
    wait_until(lambda: environment(sleeper.pid, (b"A",)).get(b"A") == b"1", what="the exec of the process")
    assert environment(sleeper.pid, (b"LAST_A",)).get(b"LAST_A") == b"2"
    assert environment(sleeper.pid, (b"EMPTY",)).get(b"EMPTY") == b""
    assert environment(sleeper.pid, (b"LAST",)).get(b"LAST") is None
    assert environment(2**22 + 1, (b"A",)).get(b"A") is None


def test_a_process_is_named_by_boot_and_start(sleeper: subprocess.Popen[bytes]) -> None:
    assert boot_id()
    began = start_time(sleeper.pid)
    own = start_time(os.getpid())
    assert began is not None
    assert own is not None
    assert own <= began
    assert start_time(2**22 + 1) is None


def test_a_zombie_is_dead() -> None:
    process = subprocess.Popen(["true"])
    wait_until(lambda: (stat_fields(process.pid) or [b"Z"])[0] == b"Z", what="its end")
    assert is_dead(process.pid)
    process.wait()
    assert is_dead(process.pid)
    assert not is_dead(os.getpid())


def test_a_handle_reaches_its_process_and_no_later_one(sleeper: subprocess.Popen[bytes]) -> None:
    handle = Handle(sleeper.pid)
    assert handle.send(0)
    sleeper.kill()
    sleeper.wait()
    assert not handle.send(signal.SIGKILL), "another process has the number now"
    handle.close()
    with pytest.raises(ProcessLookupError):
        Handle(sleeper.pid)
