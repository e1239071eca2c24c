"""What a call may change for those after it, set right again: working directory, standard streams.

And what it must not change at all: the worker's own descriptors have numbers that nobody meets by accident. Runs where
the workers run: standard library only.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import resource
import sys

TYPE_CHECKING = False  # as typing's own, which costs more to import than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_STDOUT, _STDERR = 1, 2


#: Numbers of descriptors from here on are met by nobody who counts; far larger ones would cost memory.
_FAR = 8192
#: More than all that are put there.
_ROOM = 16


def out_of_reach(*numbers: int) -> list[int]:
    """Copies of descriptors under high numbers, closed on exec.

    Code of the user may write to any low number, and close or replace it. Above the soft limit it cannot even get such
    a number itself, so that is where they go where the hard limit lets them.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    lowest = _FAR if soft == endless else min(soft, _FAR)
    needed = lowest + _ROOM
    is_raised = soft != endless and needed > soft
    if is_raised and hard != endless and needed > hard:
        lowest, is_raised = max(0, soft - _ROOM), False
    if is_raised:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    try:
        return [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, lowest) for number in numbers]
    finally:
        if is_raised:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def mapped(fd: int, size: int) -> mmap.mmap:
    """A file in memory, without a further descriptor of it under a low number; a child that is forked has it not."""
    if sys.version_info >= (3, 13):
        memory = mmap.mmap(fd, size, trackfd=False)
    else:
        number = os.dup(fd)
        os.close(number)
        memory = mmap.mmap(fd, size)  # keeps a copy of the descriptor, which gets the lowest free number
        _replace(number, fd)
    if hasattr(mmap, "MADV_DONTFORK"):
        memory.madvise(mmap.MADV_DONTFORK)
    return memory


def _replace(number: int, fd: int) -> None:
    """Put something there that nothing can be written to; the mapping stays, and closes that in the end."""
    try:
        if os.path.sameopenfile(number, fd):
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, number, inheritable=False)
            os.close(null)
    except OSError:  # a thread of the user's took the number
        return


class CallContext:
    """As it is to be for each call. ``out`` and ``err`` tell how much was written, whatever becomes of 1 and 2."""

    def __init__(self) -> None:
        self.out, self.err = out_of_reach(_STDOUT, _STDERR)
        self.remember()
        self._chdir = os.chdir
        # Asking after each call where we are would cost as much as a short call.
        os.chdir = self._noting(os.chdir)
        os.fchdir = self._noting(os.fchdir)

    def remember(self) -> None:
        """This is how it is to be after each call: what a setup changed stays changed."""
        self._home = os.getcwd()
        self._moved = False
        self._stdout, self._stderr = sys.stdout, sys.stderr

    def _noting(self, change: Callable[..., None]) -> Callable[..., None]:
        def noted(*args: Any, **kwargs: Any) -> None:
            self._moved = True
            change(*args, **kwargs)

        return noted

    def restore(self) -> None:
        """After a call: all of its output in the files, everything as before."""
        if self._moved:
            self._go_home()
        if sys.stdout is not self._stdout or sys.stderr is not self._stderr:
            _flush(sys.stdout, sys.stderr)
            sys.stdout, sys.stderr = self._stdout, self._stderr
        try:
            self._stdout.flush()
            self._stderr.flush()
        except OSError:  # a full disk; what is not written is tried again with the next
            return
        except (ValueError, AttributeError):  # it was closed, or the setup put nothing in its place
            self._reopen()

    def _go_home(self) -> None:
        self._moved = False
        try:
            self._chdir(self._home)
        except OSError as problem:  # removed, or no longer ours: nothing can go on as it began
            os.write(self.err, f"working directory {self._home}: {problem.strerror}\n".encode())
            os._exit(1)

    def _reopen(self) -> None:
        for number, kept in ((_STDOUT, self.out), (_STDERR, self.err)):
            os.dup2(kept, number)
        # The old ones live on unseen: if they were collected, they would close what is new under the same number.
        self._closed = (self._stdout, self._stderr)
        self._stdout = sys.stdout = _opened(_STDOUT, "strict")
        self._stderr = sys.stderr = _opened(_STDERR, "backslashreplace")


def _opened(number: int, errors: str) -> Any:
    return open(number, "w", encoding="utf-8", errors=errors, closefd=False)


def _flush(*streams: Any) -> None:
    for stream in streams:
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # full disk; closed; no stream at all
            continue
