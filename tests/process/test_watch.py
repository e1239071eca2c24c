"""Waiting for changes of the database without opening it."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from jobctl.process.watch import Watch


def test_a_write_to_the_database_ends_the_wait(tmp_path: Path) -> None:
    with Watch(tmp_path) as watch:
        writer = threading.Timer(0.05, (tmp_path / "jobctl.db-wal").write_bytes, [b"x"])
        writer.start()
        assert watch.wait(20)
        writer.join()


def test_a_change_before_the_wait_is_not_missed(tmp_path: Path) -> None:
    (tmp_path / "jobctl.db").write_bytes(b"")
    with Watch(tmp_path) as watch:
        with open(tmp_path / "jobctl.db", "ab") as database:
            database.write(b"x")
        assert watch.wait(20)


def test_other_files_do_not_count(tmp_path: Path) -> None:
    with Watch(tmp_path) as watch:
        (tmp_path / "daemon.log").write_text("x")
        (tmp_path / "jobctl.db-shm").write_text("x")
        assert not watch.wait(0.1)


def test_any_file_counts_if_asked(tmp_path: Path) -> None:
    with Watch(tmp_path, names=()) as watch:
        (tmp_path / "7.out").write_text("x")
        assert watch.wait(20)


def test_without_a_change_it_ends_at_the_timeout(tmp_path: Path) -> None:
    with Watch(tmp_path) as watch:
        began = time.monotonic()
        assert not watch.wait(0.15)
        assert 0.1 < time.monotonic() - began < 10


def test_a_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Watch(tmp_path / "missing")


def test_closing_gives_the_descriptor_back(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    fd = watch.fileno()
    watch.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_the_end_of_the_directory_ends_the_wait(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    with Watch(tmp_path / "store") as watch:
        (tmp_path / "store").rmdir()
        assert watch.wait(20)
