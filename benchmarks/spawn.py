"""Process items without a database: LocalExecutor beside xargs, alternating. ``python -m benchmarks.spawn [N] [PAIRS]``

Prints wall time per item of both, their ratio (median of the pairs), and where the CPU time went. The feeding side
keeps the supervisor's backlog filled and acknowledges in batches, as the engine does.
"""

from __future__ import annotations

import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jobctl.config import Home
from jobctl.domain.ports import AttemptId, Dispatch, Finished, JobSpec
from jobctl.engine.local import LocalExecutor
from jobctl.process.daemon import StartOptions, python_argv

CAPACITY = 2
AHEAD = 256


def main() -> None:
    """Run the pairs; as an engine, run one round and report to the socket named on the command line."""
    if sys.argv[1:2] == ["engine"]:
        feed(int(sys.argv[2]), sys.argv[3], sys.argv[4])
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    command = sys.argv[3] if len(sys.argv) > 3 else "true"
    measured = [(xargs(count, command), executor(count, command)) for _ in range(pairs)]
    for theirs, (ours, supervisor_cpu, engine_cpu) in measured:
        print(
            f"xargs {theirs / count * 1e6:6.0f} us   jobctl {ours / count * 1e6:6.0f} us   ratio {ours / theirs:.3f}   "
            f"cpu: supervisor {supervisor_cpu / count * 1e6:5.1f}, feeding side {engine_cpu / count * 1e6:5.1f} us"
        )
    print(f"median ratio {statistics.median(ours / theirs for theirs, (ours, _, _) in measured):.3f}")


def xargs(count: int, command: str) -> float:
    """Seconds that ``xargs -P2 -n1`` takes."""
    rows = "".join(f"{n}\n" for n in range(count)).encode()
    began = time.perf_counter()
    argv = ["xargs", f"-P{CAPACITY}", "-n1", *command.split()]
    subprocess.run(argv, input=rows, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def executor(count: int, command: str) -> tuple[float, float, float]:
    """Seconds for the same through a supervisor; CPU seconds of the supervisor and of the feeding engine."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as root, socket.socket(socket.AF_UNIX) as door:
        door.bind(f"{root}/door")
        door.listen()
        engine = python_argv("benchmarks.spawn", "engine", str(count), f"{root}/door", command)
        options = StartOptions(Home(Path(root)), CAPACITY, engine=engine)
        supervisor = subprocess.Popen(options.supervisor_argv())
        report, _ = door.accept()
        with report:
            wall, supervisor_cpu, engine_cpu = (float(word) for word in report.recv(200).split())
        supervisor.wait()
    return wall, supervisor_cpu, engine_cpu


def feed(count: int, door: str, command: str) -> None:
    """The engine's part: hand over, collect, acknowledge."""
    local = LocalExecutor.from_fd()
    local.adopt()
    root = os.path.dirname(door)
    path = f"PATH={os.environ['PATH']}".encode()
    where = f"{root}/logs/1".encode()
    local.define(JobSpec(1, (path,), b"/", 0o22, CAPACITY, "default", None, None, 10.0, where, 0))
    local.resize(CAPACITY)
    argv = tuple(word.encode() for word in command.split())
    cpu_before, engine_before = _cpu_of(os.getppid()), _own_cpu()
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
    report = f"{wall} {_cpu_of(os.getppid()) - cpu_before} {_own_cpu() - engine_before}"
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(door)
        end.send(report.encode())


def _env(item: int) -> tuple[bytes, ...]:
    return (b"JOBCTL_JOB=1", b"JOBCTL_ITEM=%d" % item, b"JOBCTL_ATTEMPT=1", b"JOBCTL_KEY=%d" % item)


def _cpu_of(pid: int) -> float:
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1e9


def _own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
