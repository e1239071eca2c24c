"""A real scheduler and real workers on loopback, and the executor over them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.wait import wait_until

_ENV = {
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
    "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "warning",
}


class Cluster:
    """``dask scheduler`` and ``dask worker`` as a user starts them."""

    def __init__(self, root: Path, **settings: str) -> None:
        self.root = root
        self.file = root / "scheduler.json"
        self.settings = settings
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self, workers: int = 2, threads: int = 4) -> Cluster:
        """Start everything; workers join while the caller continues."""
        self.start_scheduler()
        for _ in range(workers):
            self.start_worker(threads)
        return self

    def start_scheduler(self) -> None:
        """A scheduler with its file."""
        self.file.unlink(missing_ok=True)
        self.scheduler = self._run(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(self.file), "--no-dashboard"
        )
        wait_until(self.file.exists, 60, "the scheduler's file")

    def start_worker(self, threads: int = 4, *more: str) -> subprocess.Popen[bytes]:
        """A worker that is its process and nothing besides."""
        words = ("worker", "--nthreads", str(threads), "--memory-limit", "0", "--host", "127.0.0.1", "--no-nanny")
        worker = self._run(
            *words, "--no-dashboard", "--scheduler-file", str(self.file), "--local-directory", str(self.root), *more
        )
        self.workers.append(worker)
        return worker

    def _run(self, *words: str) -> subprocess.Popen[bytes]:
        log = (self.root / "cluster.log").open("ab")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]],
                env={**os.environ, **_ENV, **self.settings, "TMPDIR": str(self.root)},
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def close(self) -> None:
        """End everything."""
        for process in [*self.workers, self.scheduler]:
            if process is not None:
                end(process)


def end(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> None:
    """Signal a process of ours and wait for it, KILL when it takes too long."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
