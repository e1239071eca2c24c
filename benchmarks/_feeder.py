"""A supervisor starts this program instead of its engine: it sends, collects and acknowledges, without a database."""

from __future__ import annotations

import os
import socket
import sys
import time

from jobctl.domain.ports import AttemptId, Dispatch, Finished, JobSpec
from jobctl.executors.local import LocalExecutor

CAPACITY = 2
AHEAD = 256


def main() -> None:
    """``COUNT DOOR COMMAND``: run one round and report its wall and CPU time in seconds to the socket DOOR."""
    feed(int(sys.argv[1]), sys.argv[2], sys.argv[3])


def feed(count: int, door: str, command: str) -> None:
    """Do the work of an engine without recording anything."""
    local = LocalExecutor.from_fd()
    local.adopt()
    root = os.path.dirname(door)
    path = f"PATH={os.environ['PATH']}".encode()
    where = f"{root}/logs/1".encode()
    local.define(JobSpec(1, (path,), b"/", 0o22, CAPACITY, "default", None, None, 10.0, where, 0))
    local.resize(CAPACITY)
    argv = tuple(word.encode() for word in command.split())
    before, own_before = _cpu_of(os.getppid()), time.process_time()
    began = time.perf_counter()
    started = done = 0
    while done < count:
        if started < count and started - done < AHEAD // 2:
            batch = range(started, min(count, done + AHEAD))
            local.start([Dispatch(1, n, 1, (*argv, b"%d" % n), _env(n)) for n in batch])
            started = batch.stop
        finished = [event for event in local.collect(None) if isinstance(event, Finished)]
        local.acknowledge([AttemptId(*event[:3]) for event in finished])
        done += len(finished)
    wall = time.perf_counter() - began
    report = f"{wall} {_cpu_of(os.getppid()) - before} {time.process_time() - own_before}"
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(door)
        end.send(report.encode())


def _env(item: int) -> tuple[bytes, ...]:
    return (b"JOBCTL_JOB=1", b"JOBCTL_ITEM=%d" % item, b"JOBCTL_ATTEMPT=1", b"JOBCTL_KEY=%d" % item)


def _cpu_of(pid: int) -> float:
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1e9
