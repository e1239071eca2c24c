"""Reads a secret from a file that no other user may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from jobctl.errors import UsageError

_LIMIT = 10_000


def read_secret_file(path: Path) -> str:
    """The text of a secret file. Raises UsageError when it cannot be read or when others can."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise UsageError(f"the secret file {path} cannot be read: {error.strerror}") from error
    try:
        _check(path, os.fstat(descriptor))
        return os.read(descriptor, _LIMIT).decode("utf-8", "replace")
    finally:
        os.close(descriptor)


def _check(path: Path, info: os.stat_result) -> None:
    mode = stat.S_IMODE(info.st_mode)
    if not stat.S_ISREG(info.st_mode):
        raise UsageError(f"the secret file {path} is not a file")
    if info.st_uid != os.geteuid() or mode & 0o077:
        raise UsageError(
            f"the secret file {path} can be read by others (mode {mode:04o}, user {info.st_uid})",
            hint=f"chmod 600 {path}",
        )
