"""What a command takes: wall time, CPU time with all that it waited for, memory."""

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
    """Seconds of wall and CPU time, KiB of the largest of its processes, exit code."""

    wall_s: float
    cpu_s: float
    max_rss_kib: int
    code: int


#: Development machines set these; without byte code on disk every Python program starts at half its speed.
_NOT_OF_A_USER = frozenset({"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH", "COVERAGE_PROCESS_START"})


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Our environment as a user has it, and more."""
    return {name: value for name, value in os.environ.items() if name not in _NOT_OF_A_USER} | dict(more)


def measure(
    argv: Sequence[str | os.PathLike[str]],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    stdin: Path | None = None,
    allow: Sequence[int] = (0,),
) -> Usage:
    """Run a command to its end, output thrown away. Raises RuntimeError for an exit code that is not allowed."""
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
    """The most memory that a process had since it began its program; ru_maxrss begins with that of its parent."""
    found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0
