"""Makes a control group for the processes that a supervisor starts. No change of user, session or parent leaves it.

It needs cgroup v2 and the permission to make a group below the supervisor's own. root has it, and so have users whose
login manager delegates a part of the tree. Elsewhere no group is made, and other evidence must suffice. A process that
a login session or a service manager moves to another group leaves this one.
"""

from __future__ import annotations

import contextlib
import os

_TABLE = "/proc/self/mountinfo"
_OWN = "/proc/self/cgroup"
_PREFIX = "jobctl-"


def enter(name: str) -> str:
    """Move this process into a new group below its own; returns the group's folder, empty when that is not possible."""
    parent = _own_folder()
    folder = f"{parent}/{_PREFIX}{name}"
    if not parent:
        return ""
    try:
        os.mkdir(folder, 0o755)
        _write(folder, os.getpid())
    except OSError:
        remove(folder)
        return ""
    return folder


def leave(folder: str) -> None:
    """Move this process back to the parent group, and remove its group if no other process is in it."""
    if folder:
        with contextlib.suppress(OSError):
            _write(os.path.dirname(folder), os.getpid())
        remove(folder)


def remove(folder: str) -> None:
    """Remove an empty group that jobctl made."""
    if os.path.basename(folder).startswith(_PREFIX):
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def members(folder: str) -> set[int]:
    """Process ids in a group; none if the group does not exist."""
    if not folder:
        return set()
    try:
        with open(f"{folder}/cgroup.procs", "rb") as file:
            return {int(line) for line in file.read().split()}
    except (OSError, ValueError):
        return set()


def _write(folder: str, pid: int) -> None:
    with open(f"{folder}/cgroup.procs", "wb", buffering=0) as file:
        file.write(b"%d" % pid)


def _own_folder() -> str:
    try:
        with open(_OWN, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
        path = next(line[3:] for line in lines if line.startswith("0::"))
        with open(_TABLE, encoding="utf-8", errors="surrogateescape") as file:
            fields = [line.split() for line in file if " - cgroup2 " in line]
    except (OSError, StopIteration):
        return ""
    for field in fields:
        root, mount = field[3], field[4]
        if "\\" not in mount and (root == "/" or path.startswith(root)):
            return mount.rstrip("/") + (path if root == "/" else path[len(root) :]).rstrip("/")
    return ""
