"""What a call may change for those after it, set right again: working directory, standard streams.

Runs where the workers run: standard library only.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as typing's own, which costs more to import than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_STDOUT, _STDERR = 1, 2


class Place:
    """As it is to be for each call. ``out`` and ``err`` tell how much was written, whatever becomes of 1 and 2."""

    def __init__(self) -> None:
        self.out, self.err = os.dup(_STDOUT), os.dup(_STDERR)
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
