"""Starting one process: find the program, posix_spawn it, say in words why it cannot be started."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Mapping, Sequence

#: Signals that get their default action back: Python ignores some, and we handle some.
_DEFAULT_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGPIPE", "SIGTERM", "SIGCHLD", "SIGXFSZ", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)

#: The machine is short of something for the moment: nobody's failure.
PRESSURE_ERRNOS = frozenset(
    {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EINTR}
)

_SHELL = b"/bin/sh"


class CannotStartError(Exception):
    """The command cannot be started; ``errno`` and a text that says it in words."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(text)
        self.errno = number
        self.text = text


def spawn(program: bytes, argv: tuple[bytes, ...], env: Mapping[bytes, bytes], files: Sequence[int]) -> int:
    """Start a program in its own session; returns its pid. Raises OSError.

    ``files`` become its descriptors from 1 (stdout) on; none but the first two may have such a number already.
    Standard input, working directory and umask are those of this process. A file without a header that the
    kernel knows is run by /bin/sh, as shells and execvp do.
    """
    actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(files, 1)]
    try:
        return os.posix_spawn(
            program, argv, env, file_actions=actions, setsid=True, setsigmask=(), setsigdef=_DEFAULT_SIGNALS
        )
    except OSError as problem:
        if problem.errno != errno.ENOEXEC:
            raise
    return os.posix_spawn(
        _SHELL,
        (_SHELL, program, *argv[1:]),
        env,
        file_actions=actions,
        setsid=True,
        setsigmask=(),
        setsigdef=_DEFAULT_SIGNALS,
    )


def find_program(name: bytes, path: bytes | None) -> bytes:
    """The file that ``name`` means on a search path, seen from the current directory. Raises CannotStartError."""
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


def explain(problem: OSError, program: bytes, argv: Sequence[bytes]) -> str:
    """Why a program could not be started, for a person."""
    number = problem.errno or 0
    if number == errno.E2BIG:
        size = sum(map(len, argv))
        return f"{show(program)}: the arguments are too long for the system ({size} bytes)"
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
    """A name as text, bad bytes replaced."""
    return name.decode("utf-8", "backslashreplace")
