"""Who descends from whom, read from the kernel when it is asked, never remembered."""

from __future__ import annotations

import os

from jobctl.process import identity

_ROOM = 1 << 16


class Children:
    """The direct children of this process, zombies included; cheap enough to be asked after every reaping."""

    def __init__(self) -> None:
        path = f"/proc/self/task/{os.getpid()}/children"
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # another system, or a kernel without CONFIG_PROC_CHILDREN
            self._fd = -1

    def count(self) -> int:
        """How many there are; -1 if the system cannot say cheaply."""
        if self._fd < 0:
            return -1
        data = os.pread(self._fd, _ROOM, 0)
        return data.count(b" ") if len(data) < _ROOM else len(self.pids())

    def pids(self) -> list[int]:
        """Their process ids."""
        if self._fd < 0:
            return _children_by_scan(os.getpid())
        data = b""
        while part := os.pread(self._fd, _ROOM, len(data)):
            data += part
        return [int(word) for word in data.split()]


def children_of(pid: int) -> list[int]:
    """Direct children of any process (of all its threads); empty if it is gone."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += [int(word) for word in file.read().split()]
    except FileNotFoundError:
        return found if os.path.exists("/proc/self/task") else []
    except OSError:
        return found
    return found


def _children_by_scan(parent: int) -> list[int]:
    found = []
    for name in _process_names():
        fields = identity.stat_fields(int(name))
        if fields and int(fields[1]) == parent:
            found.append(int(name))
    return found


def _process_names() -> list[str]:
    try:
        return [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def all_pids() -> list[int]:
    """Every process the system shows."""
    return [int(name) for name in _process_names()]


def descendants(roots: list[int]) -> list[int]:
    """The roots and everything below them, parents before children."""
    found = list(roots)
    known = set(roots)
    for pid in found:  # grows while it is walked
        for child in children_of(pid):
            if child not in known:
                known.add(child)
                found.append(child)
    return found
