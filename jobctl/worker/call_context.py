"""Restores the state that a call may have changed for later calls: working directory, standard streams.

A call must not change the worker's own descriptors, so these have numbers that code of the user does not reach by
accident. This module runs in the job's interpreter: standard library only.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import resource
import sys

TYPE_CHECKING = False  # like typing's own, which costs more to import than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_STDOUT, _STDERR = 1, 2


#: Code that counts descriptors upwards does not reach this number; far larger numbers would cost memory.
_FAR = 8192
#: More than the number of descriptors that are put there.
_ROOM = 16


def out_of_reach(*numbers: int) -> list[int]:
    """Copies of descriptors under high numbers, closed on exec.

    Code of the user may write to any low number, and close or replace it. It cannot get a number above the soft limit
    itself, so the copies go there if the hard limit allows it.
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
    """A file in memory, without a second descriptor under a low number. Forked children do not have the mapping."""
    if sys.version_info >= (3, 13):
        memory = mmap.mmap(fd, size, trackfd=False)
    else:
        number = os.dup(fd)
        os.close(number)
        memory = mmap.mmap(fd, size)  # keeps a copy of the descriptor under the lowest free number
        _replace(number, fd)
    if hasattr(mmap, "MADV_DONTFORK"):
        memory.madvise(mmap.MADV_DONTFORK)
    return memory


def _replace(number: int, fd: int) -> None:
    """Replace the copy of a descriptor by one that cannot be written to; the mapping stays and closes it at its end."""
    try:
        if os.path.sameopenfile(number, fd):
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, number, inheritable=False)
            os.close(null)
    except OSError:  # a thread of the user has taken the number
        return


class CallContext:
    """The state with which each call begins. ``out`` and ``err`` are stdout and stderr even if a call closes 1 or 2."""

    def __init__(self) -> None:
        self.out, self.err = out_of_reach(_STDOUT, _STDERR)
        self.remember()
        self._chdir = os.chdir
        # Asking for the working directory after each call would cost as much as a short call.
        os.chdir = self._noting(os.chdir)
        os.fchdir = self._noting(os.fchdir)

    def remember(self) -> None:
        """Remember the present state; each call begins with it. What a setup changed stays changed."""
        self._home = os.getcwd()
        self._moved = False
        self._stdout, self._stderr = sys.stdout, sys.stderr

    def _noting(self, change: Callable[..., None]) -> Callable[..., None]:
        def noted(*args: Any, **kwargs: Any) -> None:
            self._moved = True
            change(*args, **kwargs)

        return noted

    def restore(self) -> None:
        """After a call: flush its output into the files, and restore the remembered state."""
        if self._moved:
            self._go_home()
        if sys.stdout is not self._stdout or sys.stderr is not self._stderr:
            _flush(sys.stdout, sys.stderr)
            sys.stdout, sys.stderr = self._stdout, self._stderr
        try:
            self._stdout.flush()
            self._stderr.flush()
        except OSError:  # the disk is full; the rest is written together with the output of the next call
            return
        except (ValueError, AttributeError):  # the stream was closed, or the setup replaced it by None
            self._reopen()

    def _go_home(self) -> None:
        self._moved = False
        try:
            self._chdir(self._home)
        except OSError as problem:  # removed or not readable: further calls would begin in another directory
            os.write(self.err, f"working directory {self._home}: {problem.strerror}\n".encode())
            os._exit(1)

    def _reopen(self) -> None:
        for number, copy in ((_STDOUT, self.out), (_STDERR, self.err)):
            os.dup2(copy, number)
        # Keep the old streams: their collection would close the new descriptors, which have the same numbers.
        self._closed = (self._stdout, self._stderr)
        self._stdout = sys.stdout = _opened(_STDOUT, "strict")
        self._stderr = sys.stderr = _opened(_STDERR, "backslashreplace")


def _opened(number: int, errors: str) -> Any:
    return open(number, "w", encoding="utf-8", errors=errors, closefd=False)


def _flush(*streams: Any) -> None:
    for stream in streams:
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # the disk is full, the stream is closed, or it is None
            continue
