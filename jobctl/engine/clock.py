"""Notices that the wall clock was set, so that a wait for a duration does not change while jobs wait."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jobctl.process.moment import Moment
from jobctl.store import clock
from jobctl.store.database import Database

_CLOCK_REALTIME = 0
_ABSOLUTE_CANCEL_ON_SET = 0b11  # TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET
_NEVER_S = (1 << 62) // 1_000_000_000


class ClockSet(Exception):
    """A command has moved the times of the store to another clock than the one of this round of the engine."""


class WallClock:
    """The wall clock to which the times in the engine's copy of the store refer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ahead: int | None = None
        self._in_store = 0  # the moment of ``follow`` by the clock of the store
        self._text: str | None = None  # the reading of the clock that the store had when the copy was made
        self._is_stale = False

    def jump(self, now: int) -> int:
        """The microseconds by which the wall clock was set since ``follow``; 0 = it was not set."""
        if self._ahead is None or not isinstance(now, Moment):
            return 0
        jump = now.ahead - self._ahead
        return jump if abs(jump) >= clock.TOLERANCE_US else 0

    def is_followed(self, now: int) -> bool:
        """True if the times of the copy refer to the clock that ``now`` was read from."""
        return not self._is_stale and not self.jump(now)

    def follow(self, now: int) -> None:
        """Move the times of the store to this clock, in the caller's transaction. The copy must be rebuilt then."""
        self._in_store = clock.follow(self._database, now, is_fresh=True)
        self._text = clock.text(self._database)

    def note_commit(self, now: int) -> None:
        """Note that the transaction of ``follow`` is committed."""
        self._ahead = self._in_store - now.steady if isinstance(now, Moment) else None
        self._is_stale = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction that writes times. Raises ClockSet if the times of the store refer to another clock by now."""
        with self._database.transaction():
            if clock.text(self._database) != self._text:
                self._is_stale = True
                raise ClockSet
            yield


class ClockAlarm:
    """A descriptor that becomes readable as soon as the wall clock is set; only Linux has such descriptors."""

    def __init__(self) -> None:
        self._libc: Any = None
        self._fd = -1
        with contextlib.suppress(ImportError, AttributeError, OSError):  # the system has no timerfd
            import ctypes

            self._libc = ctypes.CDLL(None, use_errno=True)
            self._fd = self._libc.timerfd_create(_CLOCK_REALTIME, os.O_NONBLOCK | os.O_CLOEXEC)
        self._arm()

    def fileno(self) -> int | None:
        """The descriptor; None on a system without one."""
        return None if self._fd < 0 else self._fd

    def _arm(self) -> None:
        if self._fd < 0:
            return
        import ctypes

        never = (ctypes.c_long * 4)(0, 0, _NEVER_S, 0)  # struct itimerspec: no interval, a time that does not come
        if self._libc.timerfd_settime(self._fd, _ABSOLUTE_CANCEL_ON_SET, never, None):
            os.close(self._fd)
            self._fd = -1

    def drain(self) -> None:
        """Wait for the next time that the clock is set."""
        if self._fd < 0:
            return
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ECANCELED:
                raise
        self._arm()

    def close(self) -> None:
        """Close the descriptor."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
