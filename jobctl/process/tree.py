"""Parents and children of processes, always read from the kernel and never remembered."""

from __future__ import annotations

import os

from jobctl.process import identity

_READ_BYTES = 1 << 16


class Children:
    """The direct children of this process including zombies. Reading the list is cheap enough after every reaping."""

    def __init__(self) -> None:
        path = f"/proc/self/task/{os.getpid()}/children"
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # another system, or a kernel without CONFIG_PROC_CHILDREN
            self._fd = -1

    @property
    def is_available(self) -> bool:
        """True if the system offers this list."""
        return self._fd >= 0

    def count(self) -> int:
        """The number of children."""
        data = os.pread(self._fd, _READ_BYTES, 0)
        return data.count(b" ") if len(data) < _READ_BYTES else len(self.pids())

    def pids(self) -> list[int]:
        """The process ids of the children."""
        data = b""
        while part := os.pread(self._fd, _READ_BYTES, len(data)):
            data += part
        return [int(word) for word in data.split()]


def all_pids() -> list[int]:
    """Every process that the system shows; empty where there is no /proc."""
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def descendants(roots: list[int]) -> list[int]:
    """The roots and all their descendants, parents before children."""
    parents = {} if _CAN_ASK_FOR_CHILDREN else _children_by_parent()
    found = list(roots)
    known = set(roots)
    for pid in found:  # grows during the loop
        for child in _children_of(pid) if _CAN_ASK_FOR_CHILDREN else parents.get(pid, ()):
            if child not in known:
                known.add(child)
                found.append(child)
    return found


_CAN_ASK_FOR_CHILDREN = os.path.exists(f"/proc/self/task/{os.getpid()}/children")


def _children_of(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += [int(word) for word in file.read().split()]
    except OSError:  # the process has ended
        return found
    return found


def _children_by_parent() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for pid in all_pids():
        fields = identity.stat_fields(pid)
        if fields:
            children.setdefault(int(fields[1]), []).append(pid)
    return children


def group_lives(group: int) -> bool:
    """True if a process group has any member, including zombies."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
