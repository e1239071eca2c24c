"""Makes the state directory private, and refuses one that another user could write to."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from jobctl.config import Home
from jobctl.errors import HomeError, JobctlError, NotFound, StoreError
from jobctl.process import mounts
from jobctl.process.private import is_plain

#: Longer names are not numbers of jobs.
_DIGITS = 19


def jobs_with_files(root: Path) -> list[int]:
    """Numbers of the jobs that have logs or results, in order."""
    numbers: set[int] = set()
    for place in (root / "logs", root / "results"):
        with contextlib.suppress(OSError):
            names = [name for name in os.listdir(place) if name.isdecimal() and len(name) < _DIGITS]
            numbers.update(int(name) for name in names if int(name) not in numbers and _has_files(place / name))
    return sorted(numbers)


def _has_files(folder: Path) -> bool:
    """True if a folder has a plain file of ours; a file that another user planted does not count."""
    with contextlib.suppress(OSError):
        if stat.S_ISDIR(folder.lstat().st_mode):
            return any(is_plain(entry.lstat()) for entry in folder.iterdir())
    return False


def no_queue(root: Path) -> JobctlError:
    """The error of a store in which nothing was ever submitted, or whose database is gone."""
    jobs = jobs_with_files(root)
    if jobs:
        return StoreError(
            f"the database at {root} is gone, although there are files of jobs (the last is {jobs[-1]})",
            hint="see what can be done with: jobctl doctor",
        )
    return NotFound(f"no jobs yet: there is no queue at {root}", hint="start with: jobctl submit FILE -- COMMAND")


def prepare_home(home: Home) -> None:
    """Make the state directory, 0700. Raises HomeError if that is impossible, or if the existing one is not ours.

    Nothing is made in a directory of another user: files that root makes there would lock its owner out.
    """
    if os.path.lexists(home.root):
        check_home(home)
    _make(home, home.root)


def prepare_folders(home: Home) -> None:
    """Make the folders of a store whose database is ours, 0700. Raises HomeError."""
    _make(home, home.logs, home.results)


def _make(home: Home, *folders: Path) -> None:
    """Make folders, and those above them that do not exist, for this user alone (0700), whatever the umask is."""
    try:
        for folder in folders:
            missing = [place for place in (folder, *folder.parents) if not place.exists()]
            for place in reversed(missing):
                with contextlib.suppress(FileExistsError):  # another command makes it, too
                    place.mkdir(mode=0o700)
                    place.chmod(0o700)  # the umask may have taken rights of the user away
            if not folder.is_dir():
                raise _no_directory(home)
    except OSError as error:
        raise HomeError(
            f"cannot make the state directory {home.root}: {error.strerror}", hint="give another with --home DIR"
        ) from error


def _no_directory(home: Home) -> HomeError:
    return HomeError(f"the state directory {home.root} is not a directory", hint="give another with --home DIR")


def refuse_network(home: Home) -> None:
    """Refuse a new store where locks and shared memory do not work. Raises HomeError; no option overrides it."""
    if home.database.exists():
        return
    kind = mounts.kind_of(home.root)
    if mounts.is_network(kind):
        raise HomeError(
            f"{home.root} is on a network file system ({kind}), where SQLite loses data",
            hint="give a directory on a local disk with --home DIR or JOBCTL_HOME",
        )


def check_home(home: Home) -> None:
    """Refuse a state directory that another user owns or may write to. Raises HomeError, NotFound."""
    try:
        info = home.root.lstat()
        if stat.S_ISLNK(info.st_mode) and info.st_uid in (0, os.geteuid()):
            info = home.root.stat()
    except FileNotFoundError:
        raise NotFound(
            f"no jobs yet: {home.root} does not exist", hint="start with: jobctl submit FILE -- COMMAND"
        ) from None
    except OSError as error:
        raise HomeError(f"cannot use {home.root}: {error.strerror}", hint="give another with --home DIR") from error
    if info.st_uid != os.geteuid():
        raise HomeError(
            f"{home.root} belongs to user {info.st_uid}, you are {os.geteuid()}",
            hint="run jobctl as its owner, or give your own state directory with --home",
        )
    if not stat.S_ISDIR(info.st_mode):
        raise _no_directory(home)
    if info.st_mode & 0o022:
        raise HomeError(
            f"{home.root} can be written by others (mode {stat.S_IMODE(info.st_mode):04o})",
            hint=f"chmod 700 {home.root}",
        )
    for folder in (home.logs, home.results):
        _check_folder(folder)


def _check_folder(folder: Path) -> None:
    """Refuse a link, because nothing is stored at its target. A folder that is gone is made again when it is needed."""
    try:
        info = folder.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.geteuid():
        raise HomeError(
            f"{folder} is not a directory of yours",
            hint="see what it is and move it away; a link is not followed: move the whole store with --home DIR",
        )
