"""Waking the engine takes effect at once, never blocks, and works only through a FIFO of this user."""

from __future__ import annotations

import os
import resource
import select
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from jobctl.errors import HomeError
from jobctl.process.wakeup import WakeUp, wake


def is_readable(wakeup: WakeUp, timeout_s: float = 0) -> bool:
    return bool(select.select([wakeup], [], [], timeout_s)[0])


def test_a_wake_is_heard_until_it_is_drained(tmp_path: Path) -> None:
    wakeup = WakeUp(tmp_path / "wake")
    assert not is_readable(wakeup)
    assert wake(tmp_path / "wake")
    assert is_readable(wakeup, 10)
    wakeup.drain()
    assert not is_readable(wakeup)
    wakeup.ring()
    assert is_readable(wakeup, 10)
    wakeup.close()


def test_many_wakes_never_block(tmp_path: Path) -> None:
    wakeup = WakeUp(tmp_path / "wake")
    for _ in range(70_000):  # more than a pipe holds
        wakeup.ring()
    assert wake(tmp_path / "wake")
    wakeup.drain()
    assert not is_readable(wakeup)
    wakeup.close()


def test_a_pipe_without_a_reader_is_fine(tmp_path: Path) -> None:
    assert not wake(tmp_path / "wake")
    WakeUp(tmp_path / "wake").close()
    assert not wake(tmp_path / "wake")


def _directory(path: Path) -> None:
    path.mkdir()


def _plain_file(path: Path) -> None:
    path.touch()


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)


def _link(path: Path) -> None:
    path.symlink_to("nowhere")


def _below_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.touch()


@pytest.mark.parametrize("put", [_directory, _plain_file, _socket, _link, _below_a_file])
def test_a_committed_submission_is_not_a_failure_whatever_is_at_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put: Callable[[Path], None]
) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)  # the address of a socket is short
    put(folder / "wake")
    assert not wake(folder / "wake")


def test_a_committed_submission_is_not_a_failure_without_a_descriptor(tmp_path: Path) -> None:
    WakeUp(tmp_path / "wake").close()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        assert not wake(tmp_path / "wake")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_fifo_is_private_and_used_again(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        WakeUp(tmp_path / "wake").close()
    finally:
        os.umask(before)
    assert os.stat(tmp_path / "wake").st_mode & 0o777 == 0o600
    WakeUp(tmp_path / "wake").close()


def test_anything_else_in_its_place_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "wake"
    path.write_text("precious")
    with pytest.raises(HomeError, match="not a FIFO of this user"):
        WakeUp(path)
    assert not wake(path)
    assert path.read_text() == "precious"


def test_a_symlink_in_its_place_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "other")
    (tmp_path / "wake").symlink_to(tmp_path / "other")
    with pytest.raises(HomeError, match="not a FIFO of this user"):
        WakeUp(tmp_path / "wake")
    assert not wake(tmp_path / "wake")
