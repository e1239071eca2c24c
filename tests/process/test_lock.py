"""The lock of a store: one holder, named, and free as soon as the holder is dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobctl.process import lock
from jobctl.process.daemon_handle import DaemonHandle
from tests.wait import wait_until

#: Takes the lock, starts a child that outlives it, reports that, and waits.
_HOLD = """
import subprocess, sys
from jobctl.process import lock
lock.take(sys.argv[1])
child = subprocess.Popen(["sleep", "1000"], close_fds=False, stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
sys.stdin.read()
"""


#: Holds the exclusive work until its input ends, then continues without the lock.
_LOOK_AFTER = """
import os, sys
from jobctl.process import lock
held = lock.take_for_a_while(sys.argv[1])
print("held", flush=True)
sys.stdin.readline()
os.close(held)
print("free", flush=True)
sys.stdin.read()
"""

_BECOME_DAEMON = """
import sys
from jobctl.process import lock
lock.take(sys.argv[1])
print("daemon", flush=True)
sys.stdin.read()
"""


def python(code: str, path: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", code, path]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def keeper(path: str) -> Iterator[subprocess.Popen[str]]:
    with python(_LOOK_AFTER, path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "daemon.lock")


@pytest.fixture
def holder(path: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    argv = [sys.executable, "-c", _HOLD, path]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        yield process, child
        os.kill(child, signal.SIGKILL)
        process.kill()


def test_the_holder_is_named(path: str, holder: tuple[subprocess.Popen[str], int]) -> None:
    process, _ = holder
    assert lock.holder(path) == process.pid
    with pytest.raises(lock.HeldError) as caught:
        lock.take(path)
    assert caught.value.pid == process.pid


def test_it_is_free_when_the_holder_is_killed_even_if_its_children_live(
    path: str, holder: tuple[subprocess.Popen[str], int]
) -> None:
    process, child = holder
    process.kill()
    process.wait()
    os.kill(child, 0)
    assert lock.holder(path) is None
    lock.release(lock.take(path))


def test_a_command_that_has_the_store_for_a_while_is_not_a_daemon(path: str, keeper: subprocess.Popen[str]) -> None:
    assert lock.holder(path) is None
    assert DaemonHandle.find(path) is None, "no command ends it as a daemon"
    with pytest.raises(lock.HeldError) as caught:
        lock.take_for_a_while(path)
    assert (caught.value.pid, caught.value.is_daemon) == (keeper.pid, False)


def test_a_daemon_waits_for_a_command_that_has_the_store(path: str, keeper: subprocess.Popen[str]) -> None:
    with python(_BECOME_DAEMON, path) as daemon:
        wait_until(lambda: lock.holder(path) == daemon.pid, 60, "the daemon to wait")
        assert keeper.stdin is not None and daemon.stdout is not None
        keeper.stdin.write("\n")
        keeper.stdin.flush()
        assert daemon.stdout.readline() == "daemon\n"
        with pytest.raises(lock.HeldError) as caught:
            lock.take_for_a_while(path)
        assert (caught.value.pid, caught.value.is_daemon) == (daemon.pid, True)
        daemon.kill()


def test_a_daemon_does_not_wait_for_ever_for_a_command(path: str, keeper: subprocess.Popen[str]) -> None:
    with pytest.raises(lock.HeldError) as caught:
        lock.take(path, patience_s=0.01)
    assert (caught.value.pid, caught.value.is_daemon) == (keeper.pid, False)
    assert lock.holder(path) is None, "and leaves nothing"


def test_a_missing_lock_has_no_holder(path: str) -> None:
    assert lock.holder(path) is None
    assert not os.path.exists(path), "asking makes no file"


def test_the_lock_file_is_private(path: str) -> None:
    before = os.umask(0)
    try:
        lock.release(lock.take(path))
    finally:
        os.umask(before)
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_a_symlink_in_its_place_is_refused(path: str, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    os.symlink(tmp_path / "victim", path)
    with pytest.raises(OSError, match="symbolic links"):
        lock.take(path)
    assert (tmp_path / "victim").read_text() == "precious"
