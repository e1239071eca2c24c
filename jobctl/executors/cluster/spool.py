"""The folders in which workers keep the output of their items until it has travelled to the engine."""

from __future__ import annotations

import os
import shutil
import tempfile
import time

#: A folder of an earlier worker that nobody has touched for this time is removed.
_KEPT_S = 7 * 86_400


def make_spool(parent: str | None) -> str:
    """Make a folder for this worker, and remove old folders of earlier workers. Raises OSError."""
    root = os.path.join(parent or tempfile.gettempdir(), f"jobctl-worker-{os.getuid()}")
    os.makedirs(root, 0o700, exist_ok=True)
    status = os.lstat(root)
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or not os.path.isdir(root) or os.path.islink(root):
        raise PermissionError(f"{root} is not a folder that only this user can use")
    for name in os.listdir(root):
        path = os.path.join(root, name)
        if os.lstat(path).st_mtime < time.time() - _KEPT_S:
            shutil.rmtree(path, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=root)
