"""Processes as the kernel shows them. The checker has its own eyes, so that an error of jobctl's cannot blind it."""

from __future__ import annotations

import os
import resource
import zlib


def all_pids() -> list[int]:
    """The numbers of all processes."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def stat_of(pid: int) -> list[str]:
    """Fields of stat(5) from the state on; empty if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def is_dead(pid: int) -> bool:
    """Gone, or a zombie."""
    fields = stat_of(pid)
    return not fields or fields[0] in "ZX"


def children(pid: int) -> list[int]:
    """Direct children, zombies included."""
    return [other for other in all_pids() if (stat_of(other) or ["", "0"])[1] == str(pid)]


def family(root: int) -> list[int]:
    """A process and all that descends from it."""
    parents = {pid: int(fields[1]) for pid in all_pids() if (fields := stat_of(pid))}
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _read(pid: int, name: str) -> bytes:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:
        return b""


def variable(pid: int, name: str) -> str | None:
    """A variable of its environment."""
    for entry in _read(pid, "environ").split(b"\0"):
        key, _, value = entry.partition(b"=")
        if key == name.encode():
            return value.decode(errors="replace")
    return None


def command(pid: int) -> str:
    """Its command line, for a person."""
    return _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace")[:100]


def mentions(pid: int, text: str) -> bool:
    """Whether its command line has this in it."""
    return text.encode() in _read(pid, "cmdline")


def belongs(pid: int, store_id: str) -> bool:
    """Whether a process carries the cookie or the tag of a store."""
    if (variable(pid, "JOBCTL_COOKIE") or "").startswith(f"{store_id}."):
        return True
    try:
        tag, _ = resource.prlimit(pid, 10)
    except (OSError, ValueError):
        return False
    return tag > 0 and tag >> 32 == (1 << 30) | zlib.crc32(store_id.encode()) & 0x3FFFFFFF
