"""A real supervisor for tests, with this process in the place of its engine."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from unittest import mock

from jobctl.config import Home
from jobctl.executors.local import LocalExecutor
from jobctl.process import daemon
from jobctl.process.daemon import ForegroundSupervisor, start_detached
from jobctl.process.start_options import StartOptions
from jobctl.process.sweep import sweep
from tests.wait import wait_until

#: An engine that passes its supervisor socket to the test and lives as long as the test's connection does.
_RELAY = """
import os, socket, sys
with socket.socket(socket.AF_UNIX) as test:
    test.connect(sys.argv[1])
    socket.send_fds(test, [os.getpid().to_bytes(4, "little"), os.environb[b"JOBCTL_FRESH"]], [3])
    os.close(3)
    code = test.recv(1)
os._exit(code[0] if code else 1)
"""


class SupervisorUnderTest:
    """Starts a supervisor whose engines hand their end of the socket over to the test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(root / "door"))
        self._door.listen()
        self._relay: socket.socket | None = None
        self._end: socket.socket | None = None
        engine = [sys.executable, "-I", "-S", "-c", _RELAY, str(root / "door")]
        self.options = StartOptions(Home(root), slots=2, engine=engine)
        self.pid = 0
        self.engine_pid = 0

    def start(self) -> LocalExecutor:
        """Start it; returns the executor of its first engine."""
        starting = threading.Thread(target=self._start)
        starting.start()
        executor = self.next_engine()
        executor.adopt()
        starting.join()
        return executor

    def start_refused(self, reason: str) -> None:
        """Start it with an engine that refuses to work. Raises what ``start_detached`` raises."""

        def refuse() -> None:
            self.next_engine().refuse(reason)
            self.end_engine(1)

        refusing = threading.Thread(target=refuse)
        refusing.start()
        try:
            start_detached(self.options)
        finally:
            refusing.join()

    def start_foreground(self) -> tuple[ForegroundSupervisor, LocalExecutor]:
        """Start it in the foreground; also returns the executor of its first engine."""
        executors: list[LocalExecutor] = []

        def adopt() -> None:
            executors.append(self.next_engine())
            executors[0].adopt()

        adopting = threading.Thread(target=adopt)
        adopting.start()
        foreground = ForegroundSupervisor(self.options)
        foreground.await_ready()
        adopting.join()
        return foreground, executors[0]

    def _start(self) -> None:
        """Start it in a thread, which would reap it; but tests wait for its end and look at its exit status."""
        with mock.patch.object(daemon, "_leave", lambda child: setattr(child, "returncode", 0)):
            self.pid = start_detached(self.options)

    def next_engine(self) -> LocalExecutor:
        """The executor of the engine that the supervisor starts now; the one before is dead."""
        if self._relay is not None:
            self._relay.close()
        self._relay, _ = self._door.accept()
        data, fds, _, _ = socket.recv_fds(self._relay, 5, 1)
        self.engine_pid = int.from_bytes(data[:4], "little")
        self._disconnect()
        self._end = socket.socket(fileno=fds[0])
        return LocalExecutor(self._end, fresh=data[4:] == b"1")

    def _disconnect(self) -> None:
        if self._end is not None:
            self._end.close()
            self._end = None

    def end_engine(self, code: int) -> None:
        """Let the engine process exit with a code."""
        assert self._relay is not None
        self._relay.send(bytes([code]))
        self._relay.close()

    def log(self) -> str:
        """The text that supervisor and engines wrote."""
        return (self.root / "daemon.log").read_text()

    def close(self) -> None:
        """End the supervisor and everything that it started, in any state."""
        if self._relay is not None:
            self._relay.close()
        self._disconnect()
        self._door.close()
        if self.pid:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        assert sweep(self.options.store_id, grace_s=0, folder=str(self.root)) == []


def await_stop(executor: LocalExecutor, times: int) -> None:
    """Wait until the executor has been told to stop this many times; other events of the supervisor do not count."""

    def is_told() -> bool:
        executor.collect(0)
        return executor.stop_requested() == times

    wait_until(is_told, what=f"the request number {times} to stop")
