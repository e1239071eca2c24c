"""Turn signals and keys into descriptors to read, so that nothing interrupts a live view in the middle of a line."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

_HANDLED = tuple(
    number
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGWINCH", "SIGTSTP")
    if (number := getattr(signal, name, None)) is not None
)
#: Signals that end a view.
STOPS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


class Signals:
    """Collects signals inside its block: they only make ``fileno`` readable, and ``take`` returns them.

    A signal that is ignored at the start, as with ``nohup`` or after ``&`` in a shell, stays ignored.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._before: dict[int, Any] = {}
        self._before_fd = -1

    def __enter__(self) -> Self:
        self._before_fd = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        handled = [number for number in _HANDLED if signal.getsignal(number) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, _ignore) for number in handled}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._before_fd)
        os.close(self._reader)
        os.close(self._writer)

    def fileno(self) -> int:
        """Return a descriptor that is readable when a signal has arrived."""
        return self._reader

    def take(self) -> list[int]:
        """Return the numbers of the signals that arrived since the last call."""
        with contextlib.suppress(BlockingIOError):
            return list(os.read(self._reader, 4096))
        return []


def _ignore(_number: int, _frame: Any) -> None:
    """Do nothing, because Python writes the number of the signal to the wake-up descriptor."""


def stop_process() -> None:
    """Stop this process, as Ctrl-Z requests; returns when the shell continues it."""
    os.kill(os.getpid(), signal.SIGSTOP)


class Keys:
    """Reads single keys from the terminal, without echo; none if standard input is not a terminal."""

    def __init__(self) -> None:
        self._fd = -1
        self._before: Any = None

    def __enter__(self) -> Self:
        self._take()
        return self

    @contextlib.contextmanager
    def released(self) -> Iterator[None]:
        """Give the terminal its earlier mode inside the block."""
        taken = self._fd >= 0
        self.__exit__(None, None, None)
        try:
            yield
        finally:
            if taken:
                self._take()

    def _take(self) -> None:
        try:
            import termios
            import tty

            fd = sys.stdin.fileno()
            # The kernel would stop a background process that changes the terminal.
            if os.isatty(fd) and os.tcgetpgrp(fd) == os.getpgrp():
                self._before = termios.tcgetattr(fd)
                tty.setcbreak(fd)
                self._fd = fd
        except (OSError, ValueError, ImportError, AttributeError):  # no terminal: no keys
            self._fd = -1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fd >= 0:
            import termios

            termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The descriptors that are readable after a key."""
        return () if self._fd < 0 else (self._fd,)

    def pressed(self) -> str:
        """Return the keys that were pressed since the last call."""
        from jobctl.process.stop_pipe import is_readable

        if self._fd < 0 or not is_readable(self._fd):
            return ""
        return os.read(self._fd, 64).decode("ascii", "ignore")
