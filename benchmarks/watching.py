"""The cost of a live view for the daemon: the same job with and without one."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import statistics
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import peers
from benchmarks.figure import Figure, Scale
from benchmarks.pairs import Paired, compare_all
from benchmarks.usage import environment

TITLE = "a watched daemon, compared with one that is not"
NOTES = """
One daemon runs job after job of `true`. Every third job has `status JOB --watch` open on a terminal of 100 x 30. CPU
time is that of supervisor and engine together, without the items.

Two jobs without a view, in the same period, show how much equal runs differ. The view shares two cores with the items,
so wall time shows how much the view takes from them.
"""
#: A smaller difference cannot be told from that of two equal runs.
_NOISE = 1.05


def run(scale: Scale) -> list[Figure]:
    """Compare jobs on one daemon with and without a view."""
    rows = scale.of(3_000, 800)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder, _daemon(Path(folder)) as bench:
        bench.rows(rows)
        bench.job(watched=False)
        taken: list[list[_Taken]] = [[], [], []]
        compare_all([_act(bench, into, watched=not n) for n, into in enumerate(taken)], scale.of(11, 3))
    watched, alone, again = taken
    view = statistics.median(each.view_s / each.wall_s for each in watched)
    return [
        Paired([each.daemon_s for each in watched], [each.daemon_s for each in alone]).figure(
            f"CPU of the daemon, {rows:,} rows", _NOISE, "µs", rows / 1e6
        ),
        Paired([each.daemon_s for each in again], [each.daemon_s for each in alone]).figure(
            "the same, two jobs that nobody watches", None, "µs", rows / 1e6
        ),
        Paired([each.wall_s for each in watched], [each.wall_s for each in alone]).figure(
            f"wall time, {rows:,} rows", None, "µs", rows / 1e6
        ),
        Figure("CPU of the view, of one core", view * 100, "%"),
    ]


class _Taken(NamedTuple):
    """The cost of a job."""

    wall_s: float
    daemon_s: float  # of CPU
    view_s: float


def _act(bench: _Bench, into: list[_Taken], *, watched: bool) -> Callable[[], float]:
    def run_one() -> float:
        into.append(bench.job(watched=watched))
        return into[-1].wall_s

    return run_one


class _Bench:
    """A store with a daemon."""

    def __init__(self, root: Path, env: dict[str, str]) -> None:
        self._root = root
        self._env = env

    def rows(self, count: int) -> None:
        """Write the rows of every job."""
        (self._root / "rows.txt").write_text("".join(f"{n}\n" for n in range(count)))

    def call(self, *words: str) -> str:
        """Run a command and return its output."""
        argv = [*peers.jobctl(), *words]
        return subprocess.run(argv, env=self._env, cwd=self._root, check=True, capture_output=True, text=True).stdout

    def job(self, *, watched: bool) -> _Taken:
        """Run one job."""
        job = self.call("submit", "rows.txt", "-q", "--hold", "--", "true").strip()
        daemon = json.loads(self.call("daemon", "status", "--json"))["pid"]
        pids = [daemon, *_children(daemon)]
        with _view(job, self._env) if watched else contextlib.nullcontext([0.0]) as view:
            before = sum(map(_cpu_s, pids))
            self.call("resume", job)
            self.call("wait", job)
            used = sum(map(_cpu_s, pids)) - before
        document = json.loads(self.call("status", job, "--json"))
        return _Taken(document["time"]["active_s"], used, view[0])


@contextlib.contextmanager
def _daemon(root: Path) -> Iterator[_Bench]:
    env = environment({"JOBCTL_HOME": str(root / "store"), "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"})
    bench = _Bench(root, env)
    bench.call("daemon", "start", "--slots", "2")
    try:
        yield bench
    finally:
        bench.call("daemon", "stop")


@contextlib.contextmanager
def _view(job: str, env: dict[str, str]) -> Iterator[list[float]]:
    """Run ``status --watch`` on a terminal that is read, until the job ends. The list gets its CPU seconds."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen([*peers.jobctl(), "status", job, "--watch"], stdin=theirs, stdout=theirs, env=env)
    os.close(theirs)
    shown = threading.Event()
    reader = threading.Thread(target=_read, args=(ours, shown), daemon=True)
    reader.start()
    shown.wait(30)
    begun = _cpu_s(child.pid)
    spent = [0.0]
    try:
        yield spent
    finally:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        reader.join()
        os.close(ours)
        spent[0] = used.ru_utime + used.ru_stime - begun


def _read(descriptor: int, shown: threading.Event) -> None:
    with contextlib.suppress(OSError):  # Linux reports EIO when the other end is closed
        while os.read(descriptor, 65_536):
            shown.set()


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process without its children, to the nanosecond."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
