"""Starting, finding and stopping a daemon, from the outside."""

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
#: What tells an item of a store. A daemon that an item starts for another store is none.
_COOKIE = "JOBCTL_COOKIE"


@dataclass(frozen=True, slots=True)
class StartOptions:
    """What a daemon is started with, and what its engine is told on its command line."""

    home: Home
    slots: int
    scope: int | None = None  # this job alone
    drain: bool = False  # end when nothing is left to do
    in_line: bool = False  # after the daemon that is there, when it has ended
    engine: Sequence[str] = ()  # another program in the place of the engine
    spawners: int = 1  # supervisors that share the slots
    cluster: Sequence[str] = ()  # name=value words that say on which cluster items run; none = on this machine
    forget_cluster: bool = False  # what ran on another cluster counts as interrupted

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
        """Names the store on this machine: all processes of it carry this, and only they."""
        status = os.stat(self.home.root)
        return f"{status.st_dev:x}-{status.st_ino:x}"

    def supervisor_argv(self, *words: str) -> list[str]:
        """The command line of the supervisor; ``words`` are more options of it."""
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
    """For a supervisor's command line: it is number ``number`` of ``count`` that share slots and folders."""
    return f"part={number}/{count}"


def python_argv(module: str, *arguments: str) -> list[str]:
    """A command line that runs ``module.main()`` in a bare Python with the module path of this one.

    Neither site nor the environment's PYTHON variables are looked at: they are in the path already, and it
    starts in half the time. While modules are being imported there is nothing to collect.
    """
    path = [os.path.abspath(entry) for entry in sys.path]
    code = f"import gc, sys; gc.disable(); sys.path[:] = {path!r}; from {module} import main; gc.enable(); main()"
    return [sys.executable, "-I", "-S", "-c", code, *arguments]


def start_detached(options: StartOptions) -> int:
    """Start a daemon that outlives this terminal; returns the supervisor's pid when its engine is ready.

    With ``in_line`` also when it waits for another one to end. Raises Busy if another one holds the lock, or is next
    in line already, JobctlError with the reason if it cannot start.
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
            env={name: value for name, value in os.environ.items() if name != _COOKIE},
            start_new_session=True,
            pass_fds=(writer,),
        )
    finally:
        os.close(writer)
        os.close(log)
    return _await_report(child, reader, options)


def _open_log(path: str) -> int:
    """The log that the daemon appends to; a long one is put aside as ``daemon.log.1``. Raises HomeError."""
    with contextlib.suppress(OSError):
        if os.stat(path, follow_symlinks=False).st_size > _LOG_LIMIT:
            os.replace(path, f"{path}.1")
    try:
        return open_plain(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    except OSError as problem:
        raise HomeError(
            f"cannot write {path}: {problem.strerror}", hint="see what is in its place and who may write there"
        ) from problem


def _await_report(child: subprocess.Popen[bytes], reader: int, options: StartOptions) -> int:
    try:
        report = _read_report(reader)
    finally:
        os.close(reader)
    if report == "ready" or report.startswith("line "):
        child.returncode = 0  # it is not ours to wait for any more
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
    """The error that names who holds the lock."""
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

    ``announce`` is called when nothing stands in the way any more.
    """
    holder = lock.holder(str(options.home.lock))
    if holder is not None:
        raise busy(holder)
    if announce is not None:
        announce()
    sys.stdout.flush()
    sys.stderr.flush()
    argv = options.supervisor_argv()
    os.execv(argv[0], argv)


class Foreground:
    """A supervisor that ends politely when this process does."""

    def __init__(self, options: StartOptions) -> None:
        """Start it; ``await_ready`` tells whether it could."""
        lifeline, self._lifeline = os.pipe()
        self._options = options
        self._report, writer = os.pipe()
        try:
            self._child = subprocess.Popen(
                options.supervisor_argv(f"ready={writer}", f"lifeline={lifeline}"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
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
        """Wait until its engine is ready, once. Raises Busy or JobctlError like ``start_detached``; then it is gone."""
        report, self._report = self._report, -1
        try:
            _await_report(self._child, report, self._options)
        except JobctlError:
            self.close()
            raise
        self._child.returncode = None

    def fileno(self) -> int:
        """Readable when it has ended; -1 where the system has no pidfd."""
        return self._handle.fileno()

    def stop(self) -> None:
        """Ask to stop: politely the first time, now the second."""
        # Two of a kind, soon after one another, could be merged into one: the second would not be heard.
        self._child.send_signal(signal.SIGINT if self._is_asked else signal.SIGTERM)
        self._is_asked = True

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Its exit code, None if it still runs after the timeout."""
        try:
            return self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """Let go of the lifeline; a supervisor that still runs stops politely."""
        os.close(self._lifeline)
        if self._report >= 0:
            os.close(self._report)
        self._handle.close()


def lock_holder(path: str | os.PathLike[str]) -> int | None:
    """Process id of the daemon of a store, None if there is none. Never to be called by the daemon itself."""
    return lock.holder(os.fspath(path))


class DaemonHandle:
    """The running daemon of a store, held so that no signal can reach a process that got its number later."""

    def __init__(self, handle: Handle) -> None:
        self.pid = handle.pid
        self._handle = handle

    @classmethod
    def find(
        cls, path: str | os.PathLike[str], holder: Callable[[str], int | None] = lock.holder
    ) -> DaemonHandle | None:
        """The holder of the lock, or who else ``holder`` says; None if there is none."""
        path = os.fspath(path)
        pid = holder(path)
        if not pid:
            return None
        try:
            handle = Handle(pid)
        except ProcessLookupError:
            return None
        if holder(path) != pid:  # asked again now that the number cannot change hands
            handle.close()
            return None
        return cls(handle)

    def fileno(self) -> int:
        """Readable when it has ended."""
        return self._handle.fileno()

    def send(self, number: int) -> bool:
        """Send it a signal; False if it is gone."""
        return self._handle.send(number)

    def wait_gone(self, timeout_s: float | None) -> bool:
        """Wait until it has ended; False if it still runs after the timeout."""
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        return bool(poll.poll(None if timeout_s is None else timeout_s * 1000))

    def close(self) -> None:
        """Let go of it."""
        self._handle.close()
