"""Write a file to a path that a person names: completely or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from jobctl.errors import HomeError, UsageError


@contextmanager
def write_whole(target: Path, mode: int | None = None) -> Iterator[BinaryIO]:
    """Open a file to write, which replaces the target in one step when the block ends.

    An existing pipe, device or link is kept and written through, so ``-o /dev/stdout`` means standard output. Without
    ``mode``, an existing file keeps its permissions, and only the user can read a new one (0600), because it may
    contain arguments and outputs. Raises UsageError for a directory, HomeError if the file cannot be written; an
    existing file is unchanged then.
    """
    if target.is_dir():
        raise UsageError(f"-o {target} is a directory", hint=f"name a file: -o {target / 'NAME'}")
    try:
        if target.is_symlink() or (target.exists() and not target.is_file()):
            with open(target, "wb", opener=_private) as through:
                yield through
        else:
            with _temporary_file(target, mode) as whole:
                yield whole
    except OSError as error:
        raise HomeError(f"cannot write {target}: {error.strerror}", hint="choose another place with -o FILE") from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _mode_of(target: Path) -> int:
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return 0o600


@contextmanager
def _temporary_file(target: Path, mode: int | None) -> Iterator[BinaryIO]:
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "xb", opener=_private) as file:
            os.fchmod(file.fileno(), _mode_of(target) if mode is None else mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
