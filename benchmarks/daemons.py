"""Starts a daemon as a user does, measures its processes, and removes it afterwards."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks import peers
from jobctl.config import Home


@dataclass(frozen=True, slots=True)
class Daemon:
    """The store and the processes of a daemon."""

    home: Home
    supervisor: int
    engine: int

    @property
    def env(self) -> dict[str, str]:
        """The environment of commands on its store."""
        return {**os.environ, "JOBCTL_HOME": str(self.home.root)}

    def call(self, *words: str) -> str:
        """Run a jobctl command on its store and return its output."""
        argv = [*peers.jobctl(), *words]
        return subprocess.run(argv, env=self.env, check=True, text=True, capture_output=True).stdout.strip()


@contextmanager
def daemon(slots: int = 2) -> Iterator[Daemon]:
    """Run a daemon on a separate store."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as root:
        home = Home(Path(root))
        env = {**os.environ, "JOBCTL_HOME": root}
        argv = [*peers.jobctl(), "daemon"]
        subprocess.run([*argv, "start", "--slots", str(slots)], env=env, check=True, capture_output=True)
        try:
            with sqlite3.connect(f"file:{home.database}?mode=ro", uri=True) as reader:
                supervisor, engine = reader.execute("SELECT pid, engine_pid FROM daemon").fetchone()
            yield Daemon(home, supervisor, engine)
        finally:
            subprocess.run([*argv, "stop", "--now"], env=env, capture_output=True)


class Activity(NamedTuple):
    """The CPU time and the wake-ups of a process so far."""

    cpu_us: float
    wakeups: int

    @classmethod
    def of(cls, pid: int) -> Activity:
        """Read the CPU time and the number of waits of its first thread, which does all the work."""
        with open(f"/proc/{pid}/schedstat") as file:
            cpu_us = int(file.read().split()[0]) / 1e3
        with open(f"/proc/{pid}/status") as file:
            (waits,) = [line for line in file if line.startswith("voluntary_ctxt_switches")]
        return cls(cpu_us, int(waits.split()[1]))

    def since(self, before: Activity) -> Activity:
        """Return the activity since an earlier reading."""
        return Activity(self.cpu_us - before.cpu_us, self.wakeups - before.wakeups)
