"""Starts one process: finds the program, starts it, and explains why it cannot be started."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
from collections.abc import Iterator, Sequence

TYPE_CHECKING = False  # as typing's own, which costs a tenth of the supervisor's start to import
if TYPE_CHECKING:
    from typing import Any

#: Signals that get their default action back: Python ignores some, and the supervisor handles some.
DEFAULT_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGPIPE", "SIGTERM", "SIGCHLD", "SIGXFSZ", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)

#: The machine has no room or no file at the moment. The attempt has not failed.
PRESSURE_ERRNOS = frozenset(
    {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EINTR}
)

_SHELL = b"/bin/sh"
_NOWHERE = b"/nonexistent/program"
_OUT_AND_ERR = 2


if TYPE_CHECKING:
    #: Working directory and umask.
    Place = tuple[bytes, int]


class CannotStartError(Exception):
    """The command cannot be started; ``errno`` and ``text`` say why."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.errno = number
        self.text = text


class DirectoryError(OSError):
    """The working directory cannot be entered."""


def spawn(argv: tuple[bytes, ...], program: bytes, env: Sequence[bytes], place: Place, files: Sequence[int]) -> int:
    """Start a program in its own session; returns its pid. Raises OSError, DirectoryError for its working directory.

    ``env`` has NAME=VALUE, each name once; ``place`` is working directory and umask. ``files`` become its descriptors
    from 1 (stdout) on; only the first two may have such a number already. Standard input is that of this process.
    /bin/sh runs a file without a header that the kernel knows, as shells and execvp do.
    """
    start = _quick.start if len(files) == _OUT_AND_ERR and _quick.works() else _start_portably
    try:
        return start(argv, program, env, place, files)
    except OSError as problem:
        if problem.errno != errno.ENOEXEC:
            raise
    return start((_SHELL, program, *argv[1:]), _SHELL, env, place, files)


def _start_portably(
    argv: tuple[bytes, ...], program: bytes, env: Sequence[bytes], place: Place, files: Sequence[int]
) -> int:
    directory, umask = place
    with entered(directory):
        umask = os.umask(umask)
        try:
            return os.posix_spawn(
                program,
                argv,
                dict(split(pair) for pair in env),
                file_actions=[(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(files, 1)],
                setsid=True,
                setsigmask=(),
                setsigdef=DEFAULT_SIGNALS,
            )
        finally:
            os.umask(umask)


class _Quick:
    """Starts processes as ``subprocess`` does, which takes a tenth less of an item's overhead than the portable way.

    The child sets directory and umask, and the environment is not parsed. Signals that we ignore stay ignored, and the
    child inherits our mask: see ``reset_signals``. Only on systems where the child borrows our memory until it runs its
    program does the call return after an error of the child, so ``works`` tries that first.
    """

    def __init__(self) -> None:
        self._works: bool | None = None
        self._fork_exec: Any = None
        self._told = self._tell = -1  # the ends of a pipe: through it a child tells an error
        self._heard: select.poll

    def works(self) -> bool:
        """True if this Python and this system can do it."""
        if self._works is None:
            self._works = self._try_out()
        return self._works

    def _try_out(self) -> bool:
        try:
            from _posixsubprocess import fork_exec
        except ImportError:
            return False
        self._fork_exec = fork_exec
        self._told, self._tell = os.pipe()
        self._heard = select.poll()
        self._heard.register(self._told, select.POLLIN)
        try:
            self.start((_NOWHERE,), _NOWHERE, (), (b"/", 0o77), (1, 2))
        except FileNotFoundError:
            return True
        except (TypeError, OSError):  # another Python has other parameters
            return False
        return False

    def start(self, argv: tuple[bytes, ...], program: bytes, env: Sequence[bytes], place: Place, files: Any) -> int:
        """Start a program; returns its pid. Raises OSError."""
        told, tell = self._told, self._tell
        out, err = files
        directory, umask = place
        # In turn: which descriptors to close, directory, environment; pipes of stdin, stdout, stderr and of errors;
        # restored signals, session, process group; users; umask, preexec_fn, whether it may borrow our memory.
        pid: int = self._fork_exec(
            argv, (program,), False, (tell,), directory, env,
            -1, -1, -1, out, -1, err, told, tell,
            True, True, -1,
            None, None, None,
            umask, None, True,
        )  # fmt: skip
        if not self._heard.poll(0):
            return pid
        os.waitpid(pid, 0)
        _, number, stage = os.read(told, 256).split(b":", 2)
        kind = DirectoryError if stage.startswith(b"noexec") else OSError
        raise kind(int(number, 16), os.strerror(int(number, 16)))


_quick = _Quick()


def reset_signals() -> None:
    """Unblock all signals and ignore none, so that items start with the defaults, whatever this process inherited."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # Python ignores these two in this process and gives items their default action back.
    for number in signal.valid_signals() - {signal.SIGPIPE, getattr(signal, "SIGXFSZ", signal.SIGPIPE)}:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def entered(directory: bytes) -> Iterator[None]:
    """Enter a directory for the block, then return to /, so that the file system can be unmounted.

    Raises DirectoryError.
    """
    try:
        os.chdir(directory)
    except OSError as problem:
        raise DirectoryError(problem.errno, problem.strerror) from problem
    try:
        yield
    finally:
        os.chdir("/")


def split(pair: bytes) -> tuple[bytes, bytes]:
    """The name and the value of NAME=VALUE."""
    name, _, value = pair.partition(b"=")
    return name, value


def find_program(name: bytes, path: bytes | None) -> bytes:
    """The file that ``name`` refers to on a search path, seen from the current directory. Raises CannotStartError."""
    if b"/" in name:
        return name
    if not name:
        raise CannotStartError(errno.ENOENT, "the command is empty")
    refused = False
    for directory in (os.defpath.encode() if path is None else path).split(b":"):
        candidate = os.path.join(directory or b".", name)
        if os.path.isfile(candidate):
            if os.access(candidate, os.X_OK):
                return candidate if b"/" in candidate else b"./" + candidate
            refused = True
    if refused:
        raise CannotStartError(errno.EACCES, f"{show(name)}: found on PATH, but not executable")
    raise CannotStartError(errno.ENOENT, f"{show(name)}: command not found on the job's PATH")


def find_tool(name: bytes) -> bytes:
    """A program of the system that starts others. Raises CannotStartError.

    The system's own folders come first: the PATH of a job is made for its command alone.
    """
    path = b"%b:%b" % (os.defpath.encode(), os.environb.get(b"PATH", b""))
    try:
        return find_program(name, path)
    except CannotStartError as problem:
        raise CannotStartError(problem.errno, f"{show(name)}: not installed where this item would run") from None


def explain(problem: OSError, program: bytes, argv: Sequence[bytes]) -> str:
    """The reason why a program could not be started, in words."""
    number = problem.errno or 0
    if number == errno.E2BIG:
        size = sum(map(len, argv))
        return f"{show(program)}: the arguments ({size} bytes) and the environment are too large together"
    if number == errno.ENOENT and os.path.exists(program):
        return f"{show(program)}: the interpreter named in its first line does not exist"
    if number == errno.ENOENT:
        return f"{show(program)}: no such file"
    if number == errno.EACCES and os.path.isdir(program):
        return f"{show(program)}: is a directory"
    if number == errno.EACCES:
        return f"{show(program)}: not executable"
    return f"{show(program)}: cannot be started: {os.strerror(number)}"


def show(name: bytes) -> str:
    """A name as text; invalid bytes are escaped."""
    return name.decode("utf-8", "backslashreplace")
