"""Numbers of a file that one writer has, also between threads, which the kernel does not tell apart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobctl.process import lock, number_locks

_IS_TAKEN = "import sys; from jobctl.process import number_locks as n; print(n.is_taken(sys.argv[1], int(sys.argv[2])))"
_TAKES_STORE = """
import sys
from jobctl.process import lock
try:
    lock.take_for_a_while(sys.argv[1])
except lock.HeldError as held:
    print(held.pid)
else:
    print("free")
"""


def elsewhere(code: str, *words: object) -> str:
    """Return what another process prints."""
    argv = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "numbers.lock")


def test_a_writer_that_ends_leaves_the_numbers_of_others(path: str) -> None:
    first, second = number_locks.take(path, 1), number_locks.take(path, 2)
    number_locks.release(first, 1)
    assert not number_locks.is_taken(path, 1)
    assert number_locks.is_taken(path, 2), "and asking does not release it"
    assert [elsewhere(_IS_TAKEN, path, number) for number in (1, 2)] == ["False", "True"]
    number_locks.release(second, 2)
    assert elsewhere(_IS_TAKEN, path, 2) == "False"


def test_two_writers_of_one_process_cannot_have_the_same_number(path: str) -> None:
    file = number_locks.take(path, 1)
    with pytest.raises(OSError, match="another thread"):
        number_locks.take(path, 1)
    assert elsewhere(_IS_TAKEN, path, 1) == "True"
    number_locks.release(file, 1)


def test_a_child_has_none_of_the_numbers(path: str) -> None:
    file = number_locks.take(path, 1)
    child = os.fork()
    if not child:
        number_locks.release(file, 1)
        os._exit(0 if number_locks.is_taken(path, 1) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert elsewhere(_IS_TAKEN, path, 1) == "True"
    number_locks.release(file, 1)


def test_a_thread_that_asks_for_the_daemon_leaves_the_exclusive_work_of_another(path: str) -> None:
    held = lock.take_for_a_while(path)
    assert lock.holder(path) is None
    with pytest.raises(lock.HeldError) as caught:
        lock.take_for_a_while(path)
    assert caught.value.pid == os.getpid() and not caught.value.is_daemon
    assert elsewhere(_TAKES_STORE, path) == str(os.getpid())
    lock.release(held)
    assert elsewhere(_TAKES_STORE, path) == "free"
