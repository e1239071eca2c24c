"""Runs one shell command, such as a notification hook, with text on its stdin and a time limit."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass

from jobctl.process.identity import Handle

GRACE_S = 5.0
TAIL_BYTES = 4_096
_READ_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class HookResult:
    """The end of a command; ``tail`` is the end of its stdout and stderr, which share a pipe."""

    exit_code: int  # negative: the number of the signal that ended it
    tail: bytes
    timed_out: bool


def run_hook(command: str, stdin: bytes, env: Mapping[str, str], cwd: str, timeout_s: float) -> HookResult:
    """Run ``/bin/sh -c command`` in a session of its own and wait for it; blocks, so call it from a thread.

    After ``timeout_s``, its whole process group gets TERM, and KILL some seconds later. Background processes that it
    leaves when it ends by itself continue to run. Raises OSError or ValueError if it cannot be started.
    """
    child = _start(command, env, cwd)
    try:
        pipes = _ChildPipes(child, stdin)
    except BaseException:
        _signal_group(child, signal.SIGKILL)
        child.wait()
        raise
    try:
        timed_out = not pipes.run_until(time.monotonic() + timeout_s)
        if timed_out:
            _signal_group(child, signal.SIGTERM)
            pipes.run_until(time.monotonic() + GRACE_S)
            # The child is not reaped yet, so no other process or group can have its number.
            _signal_group(child, signal.SIGKILL)
        return HookResult(child.wait(), pipes.remaining_output(), timed_out)
    finally:
        pipes.close()


def _start(command: str, env: Mapping[str, str], cwd: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(env),
        cwd=cwd,
        start_new_session=True,
        bufsize=0,
    )


def _signal_group(child: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


class _ChildPipes:
    """Feeds a child and reads its output until the child ends, even if another process keeps the pipe open."""

    def __init__(self, child: subprocess.Popen[bytes], stdin: bytes) -> None:
        assert child.stdin is not None and child.stdout is not None
        self._child = child
        self._stdin_fd, self._stdout_fd = child.stdin.fileno(), child.stdout.fileno()
        self._unsent = memoryview(stdin)
        self._tail = b""
        self._handle = Handle(child.pid)
        self._selector = selectors.DefaultSelector()
        for fd, event in ((self._stdin_fd, selectors.EVENT_WRITE), (self._stdout_fd, selectors.EVENT_READ)):
            os.set_blocking(fd, False)
            self._selector.register(fd, event)
        if self._handle.fileno() >= 0:
            self._selector.register(self._handle.fileno(), selectors.EVENT_READ)

    def run_until(self, deadline: float) -> bool:
        """Feed and read until the child has ended; False if the deadline (monotonic seconds) comes first."""
        while self._selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            for key, _ in self._selector.select(left):
                if key.fd == self._handle.fileno():
                    return True
                self._transfer(key.fd)
        # This system has no pidfd, and the child has closed its output: only its end is left to wait for.
        try:
            self._child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _transfer(self, fd: int) -> None:
        if fd == self._stdin_fd:
            self._feed()
        elif not self._read():
            self._selector.unregister(self._stdout_fd)

    def _feed(self) -> None:
        try:
            self._unsent = self._unsent[os.write(self._stdin_fd, self._unsent) :]
        except BlockingIOError:
            return
        except BrokenPipeError:  # the child does not read its input
            self._unsent = self._unsent[:0]
        if not self._unsent:
            self._selector.unregister(self._stdin_fd)
            assert self._child.stdin is not None
            self._child.stdin.close()

    def _read(self) -> bool:
        """Read the available output; False at its end."""
        try:
            data = os.read(self._stdout_fd, _READ_BYTES)
        except BlockingIOError:
            return True
        self._tail = (self._tail + data)[-TAIL_BYTES:]
        return bool(data)

    def remaining_output(self) -> bytes:
        """Read the rest of the pipe; returns the end of the whole output."""
        try:
            while data := os.read(self._stdout_fd, _READ_BYTES):
                self._tail = (self._tail + data)[-TAIL_BYTES:]
        except BlockingIOError:
            pass
        return self._tail

    def close(self) -> None:
        """Close the pipes and the handle."""
        self._selector.close()
        self._handle.close()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
