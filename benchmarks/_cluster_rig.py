"""Starts a scheduler and two workers on loopback, as a user does, and measures their CPU time."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

WORKERS = 2
_TIMEOUT_S = 60.0


class Rig(NamedTuple):
    """The folder and the processes of a cluster."""

    folder: Path
    scheduler_file: Path
    pids: list[int]

    def cpu_s(self) -> float:
        """Return the CPU seconds of all its processes so far, including the children that they waited for."""
        return sum(map(_cpu_s, [pid for root in self.pids for pid in _tree(root)]))


@contextlib.contextmanager
def rig() -> Iterator[Rig]:
    """Start everything with one slot for each worker; end and remove everything afterwards."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        file = folder / "scheduler.json"
        scheduler = (sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard", "--port", "0")
        made = [_start(folder, *scheduler, "--host", "127.0.0.1", "--scheduler-file", str(file))]
        stack.callback(lambda: _end_all(made[::-1]))
        _wait(file.exists)
        worker = (sys.executable, "-m", "jobctl", "worker", "--slots", "1", "--scheduler-file", str(file))
        made += [_start(folder, *worker) for _ in range(WORKERS)]
        _wait(lambda: (folder / "log").read_text().count("ready on") == WORKERS)
        yield Rig(folder, file, [process.pid for process in made])


def _start(folder: Path, *argv: str) -> subprocess.Popen[bytes]:
    settings = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0", "TMPDIR": str(folder)}
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(argv, env={**os.environ, **settings}, cwd=folder, stdout=log, stderr=log)


def _end_all(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(condition: object) -> None:
    until = time.monotonic() + _TIMEOUT_S
    while not condition():  # type: ignore[operator]
        if time.monotonic() > until:
            raise RuntimeError("the cluster did not start in time")
        time.sleep(0.1)


def _tree(root: int) -> Iterator[int]:
    yield root
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{root}/task"):
            for child in Path(f"/proc/{root}/task/{task}/children").read_text().split():
                yield from _tree(int(child))


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def store(folder: Path, scheduler_file: Path) -> dict[str, str]:
    """Return the environment of a jobctl whose daemon uses the cluster."""
    home = folder / "home"
    (folder / "noop.py").write_text("def noop(line):\n    return None\n")
    return {
        "JOBCTL_HOME": str(home),
        "JOBCTL_DAEMON_EXECUTOR": "dask",
        "JOBCTL_DAEMON_SCHEDULER_FILE": str(scheduler_file),
        "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]),
    }


def jobctl(env: dict[str, str], folder: Path, *words: str) -> str:
    """Run a command and return its standard output. Raises RuntimeError if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "jobctl", *words], env={**os.environ, **env}, cwd=folder, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"jobctl {words[0]}: {done.stderr.strip()}")
    return done.stdout


def active_s(env: dict[str, str], folder: Path, job: str) -> float:
    """Return the active time of a job in seconds."""
    document = json.loads(jobctl(env, folder, "status", job, "--json"))
    active: float = document["time"]["active_s"]
    return active
