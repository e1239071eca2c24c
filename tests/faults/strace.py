"""System calls by strace: which ones there are, and a blow at one of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.faults.campaign import Trial
from tests.faults.rig import need

#: Calls that change a file, take a lock, start a process or send a signal or a message.
CHANGING = (
    "pwrite64,write,fdatasync,fsync,ftruncate,fallocate,unlink,unlinkat,rename,renameat2,mkdir,mkdirat,rmdir,chmod,"
    "fchmod,fcntl,mknod,mknodat,sendmsg,sendto,clone3,clone,vfork,prlimit64,setrlimit"
)
#: (system call, how many-th)
Point = tuple[str, int]
#: A call that is made more often belongs to a process that waits and looks.
_MOST = 150
_CALL = re.compile(r"(\d*) *(\w+)\(")


def strace(*words: str, output: str = "/dev/null") -> list[str]:
    """In front of a command; Skip without strace."""
    return [need("strace"), "-f", "-qq", "-o", output, *words]


def killing(point: Point) -> list[str]:
    """Words for a SIGKILL there."""
    return ["-e", f"trace={point[0]}", "-e", f"inject={point[0]}:signal=KILL:when={point[1]}"]


def count_points(log: Path) -> list[Point]:
    """Every system call of the busiest thread in a log, as points."""
    by_thread: dict[str, Counter[str]] = {}
    for line in log.read_text(errors="replace").splitlines():
        thread, name = found.groups() if (found := _CALL.match(line)) else ("", "")
        if name.isidentifier():
            by_thread.setdefault(thread, Counter())[name] += 1
    most: Counter[str] = Counter()
    for counts in by_thread.values():
        for name, count in counts.items():
            most[name] = max(most[name], count)
    return [(name, number) for name in sorted(most) for number in range(1, min(most[name], _MOST) + 1)]


def spread(points: Callable[[], int], trial: Trial) -> Trial:
    """Trials in another order, so that a few of them are spread over all points."""

    def spread_trial(rng: Random, number: int) -> list[str]:
        count = points()
        step = next(step for step in (61, 67, 71, 73, 79) if count % step)  # coprime: all points in the end
        return trial(rng, number * step % count)

    return spread_trial
