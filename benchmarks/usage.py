"""Measures a command: wall time, CPU time including the children that it waited for, and memory."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


@dataclass(frozen=True, slots=True)
class Usage:
    """The wall and CPU time in seconds, the memory of its largest process in KiB, and the exit code."""

    wall_s: float
    cpu_s: float
    max_rss_kib: int
    code: int


#: Development machines set these. Without byte code on disk, every Python program takes twice as long to start.
_OF_DEVELOPERS = frozenset({"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH", "COVERAGE_PROCESS_START"})


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return our environment as a user has it, with the variables in ``more``."""
    return {name: value for name, value in os.environ.items() if name not in _OF_DEVELOPERS} | dict(more)


def measure(
    argv: Sequence[str | os.PathLike[str]],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    stdin: Path | None = None,
    allow: Sequence[int] = (0,),
) -> Usage:
    """Run a command and discard its output. Raises RuntimeError for an exit code that is not allowed."""
    with open(stdin or os.devnull, "rb") as source, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        child = subprocess.Popen(
            [os.fspath(word) for word in argv],
            stdin=source,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            cwd=cwd,
            env=environment(env or {}),
        )
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in allow:
            raise RuntimeError(f"{argv[0]} ended with {child.returncode}: {_last_words(errors)}")
    return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss, child.returncode)


def _last_words(errors: BinaryIO) -> str:
    errors.seek(0)
    return errors.read()[-2000:].decode(errors="replace")


def peak_kib(pid: int) -> int:
    """Return the largest memory of a process since its exec, because ru_maxrss starts at that of its parent."""
    found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0
