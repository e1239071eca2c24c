"""Starting a process: the quick way and the portable way do the same."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from jobctl.process.tree import Children
from jobctl.supervisor import spawn


@pytest.fixture(params=["quick", "portable"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Both; afterwards this process is where it was."""
    monkeypatch.setattr(spawn._quick, "_works", None if request.param == "quick" else False)
    before = os.getcwd()
    yield request.param
    os.chdir(before)


def start(root: Path, *argv: bytes, place: tuple[bytes, int] | None = None) -> str:
    """Run a program to its end; returns its output."""
    with open(root / "out", "wb") as out:
        place = place or (os.fsencode(root), 0o027)
        pid = spawn.spawn(argv, argv[0], [b"PATH=/usr/bin:/bin", b"A=b=c"], place, (out.fileno(), out.fileno()))
        os.waitpid(pid, 0)
    return (root / "out").read_text()


def test_it_finds_its_place_and_environment(tmp_path: Path, way: str) -> None:
    lines = start(tmp_path, b"/bin/sh", b"-c", b'pwd; umask; echo "$A $$"; cut -d" " -f6 /proc/$$/stat').split("\n")
    assert lines[:2] == [str(tmp_path), "0027"]
    value, pid = lines[2].split()
    assert value == "b=c"
    assert lines[3] == pid, "leads a session"
    if way == "quick":
        assert spawn._quick.works(), "the portable way is for other systems"


def test_a_script_without_a_header_is_run_by_the_shell(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("echo $1\n")
    script.chmod(0o755)
    assert start(tmp_path, os.fsencode(script), b"hello") == "hello\n"


def test_a_failed_start_is_known_at_once(tmp_path: Path) -> None:
    spawn._quick.works()
    before = Children().pids()
    with pytest.raises(FileNotFoundError) as caught:
        start(tmp_path, b"./absent")
    assert not isinstance(caught.value, spawn.DirectoryError)
    with pytest.raises(PermissionError):
        start(tmp_path, os.fsencode(tmp_path))
    with pytest.raises(OSError, match="too long"):
        start(tmp_path, b"/bin/true", b"x" * (1 << 20))
    with pytest.raises(ValueError, match="null"):
        start(tmp_path, b"/bin/true", b"\0")
    with pytest.raises(spawn.DirectoryError, match="No such file"):
        start(tmp_path, b"/bin/true", place=(os.fsencode(tmp_path / "absent"), 0))
    assert start(tmp_path, b"/bin/echo", b"after that") == "after that\n"
    assert Children().pids() == before, "nothing is left to be reaped"
