"""Files that a person names: in their place when whole, never in the place of a device, a pipe or a link."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from jobctl.errors import HomeError, UsageError
from jobctl.services.output.write_file import write_whole


def test_it_is_there_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("before")
    with write_whole(target, 0o640) as file:
        file.write(b"after")
        assert target.read_text() == "before"
    assert target.read_text() == "after"
    assert target.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["out.csv"]


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077, 0])
def test_a_new_file_is_for_its_user_alone_and_one_that_is_there_keeps_its_mode(tmp_path: Path, umask: int) -> None:
    kept = tmp_path / "kept.csv"
    kept.write_text("before")
    kept.chmod(0o644)
    (tmp_path / "link").symlink_to("pointed")
    before = os.umask(umask)
    try:
        for name in ("new.csv", "kept.csv", "link"):
            with write_whole(tmp_path / name) as file:
                assert os.fstat(file.fileno()).st_mode & 0o077 == (0o044 if name == "kept.csv" else 0)
                file.write(b"after")
    finally:
        os.umask(before)
    modes = {name: (tmp_path / name).stat().st_mode & 0o777 for name in ("new.csv", "kept.csv", "pointed")}
    assert modes == {"new.csv": 0o600, "kept.csv": 0o644, "pointed": 0o600}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_the_old_file_stays_when_the_new_one_is_incomplete(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "out.csv"
    target.write_text("before")
    with pytest.raises(error), write_whole(target) as file:
        file.write(b"half")
        raise error
    assert target.read_text() == "before"
    assert os.listdir(tmp_path) == ["out.csv"]


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("before")
    (tmp_path / "link").symlink_to("real")
    with write_whole(tmp_path / "link") as file:
        file.write(b"after")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "after"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))
    reader.start()
    with write_whole(pipe) as file:
        file.write(b"rows")
    reader.join(60)
    assert heard == [b"rows"]
    assert pipe.is_fifo()


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a directory"), write_whole(tmp_path):
        pass
    with pytest.raises(HomeError, match=r"cannot write .*: No such file"), write_whole(tmp_path / "no" / "out.csv"):
        pass
