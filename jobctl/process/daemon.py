"""Starts a daemon from another process: detached, in the place of this process, or as its child."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable

from jobctl.errors import Busy, HomeError, JobctlError
from jobctl.process import lock
from jobctl.process.displaced import DISPLACED
from jobctl.process.identity import Handle
from jobctl.process.private import open_plain
from jobctl.process.start_options import FOREGROUND, StartOptions

_READ_BYTES = 4096
_LOOK_EVERY_MS = 1000
_LOG_LIMIT = 8 << 20
#: The variable that marks an item of a store. A daemon that an item starts for another store must not carry it.
_COOKIE = "JOBCTL_COOKIE"


def start_detached(options: StartOptions, look: Callable[[], None] | None = None) -> int:
    """Start a daemon that outlives this terminal; returns the supervisor's pid when its engine is ready.

    With ``in_line``, it also returns when the daemon waits for another one to end. ``look`` is called about every
    second until then. Raises Busy if another daemon holds the lock or is next in line already, JobctlError with the
    reason if it cannot start.
    """
    reader, writer = os.pipe()
    log = _open_log(os.fspath(options.home.daemon_log))
    try:
        child = subprocess.Popen(
            options.supervisor_argv(f"ready={writer}"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={name: value for name, value in options.environment().items() if name != _COOKIE},
            start_new_session=True,
            pass_fds=(writer,),
        )
    finally:
        os.close(writer)
        os.close(log)
    return _await_report(child, reader, options, look)


def _leave(child: subprocess.Popen[bytes]) -> None:
    """Wait for a daemon no more. A process that has threads, such as a server, outlives it and has to reap it."""
    import threading  # subprocess has imported it

    if threading.current_thread() is not threading.main_thread():
        threading.Thread(target=child.wait, name=f"reap {child.pid}", daemon=True).start()
    else:
        child.returncode = 0


def _open_log(path: str) -> int:
    """Open the log that the daemon appends to; a long one is renamed to ``daemon.log.1``. Raises HomeError."""
    with contextlib.suppress(OSError):
        if os.stat(path, follow_symlinks=False).st_size > _LOG_LIMIT:
            os.replace(path, f"{path}.1")
    try:
        return open_plain(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    except OSError as problem:
        raise HomeError(
            f"cannot write {path}: {problem.strerror}", hint="check this path and the permissions of its folder"
        ) from problem


def _await_report(
    child: subprocess.Popen[bytes], reader: int, options: StartOptions, look: Callable[[], None] | None = None
) -> int:
    try:
        report = _read_report(reader, look)
    finally:
        os.close(reader)
    if report == "ready" or report.startswith("line "):
        _leave(child)
        return child.pid
    child.wait()
    word, _, rest = report.partition(" ")
    if word == "busy":
        raise busy(int(rest))
    if word == "displaced":
        raise _displaced(int(rest))
    raise JobctlError(
        f"the daemon could not start: {rest or f'it ended with code {child.returncode}'}",
        hint=f"look at the end of {options.home.daemon_log}, or run it in the foreground: jobctl daemon run",
    )


def _read_report(reader: int, look: Callable[[], None] | None) -> str:
    data = b""
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    while True:
        if look is not None and not poll.poll(_LOOK_EVERY_MS):
            look()
            continue
        part = os.read(reader, _READ_BYTES)
        if not part:
            break
        data += part
    return data.decode("utf-8", "replace")


def busy(pid: int) -> Busy:
    """The error that names the process that holds the lock."""
    return Busy(
        f"a daemon already runs for this store (process {pid})",
        hint="see it with: jobctl daemon status; end it with: jobctl daemon stop",
    )


def _displaced(pid: int) -> Busy:
    return Busy(
        DISPLACED.format(pid),
        hint="its running items would be lost: end it with jobctl daemon stop, then start the next one",
    )


def exec_foreground(options: StartOptions, announce: Callable[[], None] | None = None) -> None:
    """Become the supervisor, in this process and on this terminal. Raises Busy; does not return otherwise.

    ``announce`` is called just before, when the lock is free.
    """
    holder = lock.holder(str(options.home.lock))
    if holder is not None:
        raise busy(holder)
    if announce is not None:
        announce()
    sys.stdout.flush()
    sys.stderr.flush()
    argv = options.supervisor_argv(FOREGROUND)
    os.execve(argv[0], argv, options.environment())


class ForegroundSupervisor:
    """A supervisor that is a child of this process and stops politely when this process ends."""

    def __init__(self, options: StartOptions) -> None:
        """Start the supervisor; call ``await_ready`` next, which raises if the supervisor does not become ready."""
        lifeline, self._lifeline = os.pipe()
        self._options = options
        self._report, writer = os.pipe()
        try:
            self._child = subprocess.Popen(
                options.supervisor_argv(f"ready={writer}", f"lifeline={lifeline}", FOREGROUND),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
                env=options.environment(),
                start_new_session=True,
                pass_fds=(writer, lifeline),
            )
        finally:
            os.close(writer)
            os.close(lifeline)
        self.pid = self._child.pid
        self._handle = Handle(self.pid)
        self._is_stop_requested = False

    def await_ready(self) -> None:
        """Wait until its engine is ready; call it once. Raises Busy or JobctlError when the supervisor has ended."""
        report, self._report = self._report, -1
        try:
            _await_report(self._child, report, self._options)
        except JobctlError:
            self.close()
            raise
        self._child.returncode = None

    def fileno(self) -> int:
        """A descriptor that is readable when the supervisor has ended; -1 where the system has no pidfd."""
        return self._handle.fileno()

    def stop(self) -> None:
        """Ask the supervisor to stop: politely the first time, at once the second time."""
        # The kernel may merge two equal signals into one, so the second request is another signal.
        self._child.send_signal(signal.SIGINT if self._is_stop_requested else signal.SIGTERM)
        self._is_stop_requested = True

    def wait(self, timeout_s: float | None = None) -> int | None:
        """The exit code of the supervisor, None if it still runs after the timeout."""
        try:
            return self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """Close the lifeline; a supervisor that still runs then stops politely."""
        os.close(self._lifeline)
        if self._report >= 0:
            os.close(self._report)
        self._handle.close()
