"""Starts, finds and stops a daemon from another process."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobctl.config import Home
from jobctl.errors import Busy, HomeError, JobctlError
from jobctl.process import lock
from jobctl.process.displaced import DISPLACED
from jobctl.process.identity import Handle
from jobctl.process.private import open_plain

_REPORT_ROOM = 4096
_LOG_LIMIT = 8 << 20
_CLUSTER = "cluster."
#: The variable that marks an item of a store. A daemon that an item starts for another store must not carry it.
_COOKIE = "JOBCTL_COOKIE"
#: Names the GPUs that a process may use.
_DEVICES = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True)
class StartOptions:
    """The options of a daemon, and the command lines of its supervisor and its engine."""

    home: Home
    slots: int
    scope: int | None = None  # run only this job
    drain: bool = False  # end when no work is left
    in_line: bool = False  # wait until the running daemon has ended
    engine: Sequence[str] = ()  # another program instead of the engine
    spawners: int = 1  # the number of supervisors that share the slots
    cluster: Sequence[str] = ()  # name=value words that name the cluster; none = items run on this machine
    forget_cluster: bool = False  # attempts on another cluster count as interrupted
    devices: str | None = None  # the GPUs that items may use, unless the environment names them; None = all

    @classmethod
    def from_argv(cls, argv: Sequence[str]) -> StartOptions:
        """The options that an engine finds on its command line."""
        words = dict(word.partition("=")[::2] for word in argv)
        scope = words.get("scope")
        return cls(
            home=Home(Path(words["home"])),
            slots=int(words["slots"]),
            scope=None if scope is None else int(scope),
            drain="drain" in words,
            spawners=int(words.get("spawners", "1")),
            cluster=tuple(word for word in argv if word.startswith(_CLUSTER)),
            forget_cluster="forget_cluster" in words,
        )

    @property
    def store_id(self) -> str:
        """The name of the store on this machine; exactly the processes of the store carry it."""
        status = os.stat(self.home.root)
        return f"{status.st_dev:x}-{status.st_ino:x}"

    def environment(self) -> dict[str, str]:
        """The environment of the supervisor. If it names devices, these count: they may be this user's share."""
        named = {} if self.devices is None else {_DEVICES: self.devices}
        return named | dict(os.environ)

    def supervisor_argv(self, *words: str) -> list[str]:
        """The command line of the supervisor; ``words`` are further options."""
        engine = self.engine or python_argv("jobctl.engine.main", *self._engine_words())
        words = (f"lock={self.home.lock}", f"store={self.store_id}", part_word(0, self.spawners), *words)
        line = ("line=1",) if self.in_line else ()
        return [*python_argv("jobctl.supervisor.main"), *words, *line, "--", *engine]

    def _engine_words(self) -> list[str]:
        words = [f"home={self.home.root}", f"slots={self.slots}"]
        if self.scope is not None:
            words.append(f"scope={self.scope}")
        if self.drain:
            words.append("drain=1")
        if self.spawners > 1:
            words.append(f"spawners={self.spawners}")
        if self.forget_cluster:
            words.append("forget_cluster=1")
        return [*words, *self.cluster]


def part_word(number: int, count: int) -> str:
    """The word for a supervisor that is number ``number`` of ``count`` that share slots and folders of jobs."""
    return f"part={number}/{count}"


def python_argv(module: str, *arguments: str) -> list[str]:
    """A command line that runs ``module.main()`` in a bare Python with the module path of this one.

    The new process ignores site and the PYTHON variables: the path has their effects already, and the start takes half
    the time. The collector is off during imports, which leave no garbage.
    """
    path = [os.path.abspath(entry) for entry in sys.path]
    code = f"import gc, sys; gc.disable(); sys.path[:] = {path!r}; from {module} import main; gc.enable(); main()"
    return [sys.executable, "-I", "-S", "-c", code, *arguments]


def start_detached(options: StartOptions) -> int:
    """Start a daemon that outlives this terminal; returns the supervisor's pid when its engine is ready.

    With ``in_line``, it also returns when the daemon waits for another one to end. Raises Busy if another daemon holds
    the lock or is next in line already, JobctlError with the reason if it cannot start.
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
    return _await_report(child, reader, options)


def _open_log(path: str) -> int:
    """Open the log that the daemon appends to; a long one is renamed to ``daemon.log.1``. Raises HomeError."""
    with contextlib.suppress(OSError):
        if os.stat(path, follow_symlinks=False).st_size > _LOG_LIMIT:
            os.replace(path, f"{path}.1")
    try:
        return open_plain(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    except OSError as problem:
        raise HomeError(
            f"cannot write {path}: {problem.strerror}", hint="check what is there, and who may write to its folder"
        ) from problem


def _await_report(child: subprocess.Popen[bytes], reader: int, options: StartOptions) -> int:
    try:
        report = _read_report(reader)
    finally:
        os.close(reader)
    if report == "ready" or report.startswith("line "):
        child.returncode = 0  # this process need not wait for it any more
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


def _read_report(reader: int) -> str:
    data = b""
    while part := os.read(reader, _REPORT_ROOM):
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
    argv = options.supervisor_argv()
    os.execve(argv[0], argv, options.environment())


class Foreground:
    """A supervisor that ends politely when this process does."""

    def __init__(self, options: StartOptions) -> None:
        """Start the supervisor; ``await_ready`` tells whether it works."""
        lifeline, self._lifeline = os.pipe()
        self._options = options
        self._report, writer = os.pipe()
        try:
            self._child = subprocess.Popen(
                options.supervisor_argv(f"ready={writer}", f"lifeline={lifeline}"),
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
        self._is_asked = False

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
        self._child.send_signal(signal.SIGINT if self._is_asked else signal.SIGTERM)
        self._is_asked = True

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


def lock_holder(path: str | os.PathLike[str]) -> int | None:
    """Process id of the daemon of a store, None if there is none. The daemon itself must never call this."""
    return lock.holder(os.fspath(path))


class DaemonHandle:
    """The running daemon of a store. The handle keeps signals from a process that gets the same number later."""

    def __init__(self, handle: Handle) -> None:
        self.pid = handle.pid
        self._handle = handle

    @classmethod
    def find(
        cls, path: str | os.PathLike[str], holder: Callable[[str], int | None] = lock.holder
    ) -> DaemonHandle | None:
        """The daemon that holds the lock, or the process that ``holder`` returns; None if there is none."""
        path = os.fspath(path)
        pid = holder(path)
        if not pid:
            return None
        try:
            handle = Handle(pid)
        except ProcessLookupError:
            return None
        if holder(path) != pid:  # checked again while the handle is open: the number may have passed to another process
            handle.close()
            return None
        return cls(handle)

    def fileno(self) -> int:
        """A descriptor that is readable when the daemon has ended."""
        return self._handle.fileno()

    def send(self, number: int) -> bool:
        """Send the daemon a signal; False if it is gone."""
        return self._handle.send(number)

    def wait_gone(self, timeout_s: float | None) -> bool:
        """Wait until the daemon has ended; False if it still runs after the timeout."""
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        return bool(poll.poll(None if timeout_s is None else timeout_s * 1000))

    def close(self) -> None:
        """Close the handle; the daemon continues."""
        self._handle.close()
