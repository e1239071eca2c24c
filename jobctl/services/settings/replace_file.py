"""Replace a file of settings, as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat

from jobctl.errors import UsageError


def replace_file(path: str, content: bytes, mode: int = 0o600) -> None:
    """Replace a file, which keeps its permissions; a new one has ``mode``, less what the umask takes away.

    A link at this path is replaced itself. Raises OSError; the file is unchanged then.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    try:
        with open(descriptor, "wb") as file:
            _keep_permissions(path, file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _keep_permissions(path: str, descriptor: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        found = os.lstat(path).st_mode
        if stat.S_ISREG(found):
            os.fchmod(descriptor, stat.S_IMODE(found))


def make_folder(folder: str) -> None:
    """Create a folder and its parents.

    Raises UsageError in the home of another user: root would create folders there that this user cannot use.
    """
    there = folder
    while not os.path.exists(there):
        there = os.path.dirname(there)
    if os.stat(there).st_uid != os.geteuid():
        raise UsageError(
            f"{there} belongs to another user, so nothing is written there", hint="run it as the user who submits"
        )
    os.makedirs(folder, mode=0o700, exist_ok=True)
