"""The folders of jobs: find them, measure them, remove them."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from jobctl.config import Home
from jobctl.errors import HomeError


def folders_of(home: Home, job: int) -> tuple[Path, Path]:
    """The folders of a job: its output and its results."""
    return home.job_logs(job), home.job_results(job)


def by_worth(home: Home, jobs: Sequence[int]) -> list[Path]:
    """The folders of these jobs, the least valuable ones first: output, then results."""
    return [*map(home.job_logs, jobs), *map(home.job_results, jobs)]


def numbered_folders(parent: Path) -> Iterator[Path]:
    """The entries of a folder whose names are numbers; none if the folder does not exist."""
    with contextlib.suppress(FileNotFoundError):
        yield from [entry for entry in parent.iterdir() if entry.name.isascii() and entry.name.isdigit()]


def is_older(folder: Path, before: int) -> bool:
    """Return whether a folder was last changed before a time (microseconds UTC)."""
    with contextlib.suppress(OSError):
        return folder.lstat().st_mtime * 1e6 < before
    return False


def bytes_in(folder: Path) -> int:
    """The disk space in bytes of all files below a folder. Links are not followed."""
    total = 0
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                total += bytes_in(Path(entry.path))
            else:
                total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total


def remove_folder(folder: Path) -> int:
    """Remove a folder with its content; returns the disk space in bytes. Links are removed, not followed.

    Raises HomeError.
    """
    size = bytes_in(folder)
    try:
        if folder.is_symlink():
            folder.unlink()
        else:
            shutil.rmtree(folder)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise HomeError(
            f"cannot remove {error.filename or folder}: {error.strerror}",
            hint="fix that, then run jobctl prune again: it continues where it stopped",
        ) from error
    return size


def size_of(path: str) -> int:
    """The size of a file in bytes; 0 if it does not exist."""
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
