"""``jobctl run``: work a job off in the foreground, or follow it when a daemon is up."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from jobctl.config import Home
from jobctl.errors import Busy
from jobctl.process.daemon import Foreground, StartOptions, lock_holder


class ForegroundRun:
    """An engine for one job that lives as long as this process needs it; none if a daemon does the work.

    ``tend`` is to be called now and then: when the daemon that was followed has gone before the job was done, an
    engine is started here.
    """

    def __init__(self, home: Home, job: int, slots: int) -> None:
        self._home = home
        self._options = StartOptions(home=home, slots=slots, scope=job)
        self._engine: Foreground | None = None
        self.stops = 0

    def __enter__(self) -> Self:
        self.tend()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine.wait(30.0)

    @property
    def follows(self) -> bool:
        """Whether somebody else's engine does the work."""
        return self._engine is None

    def tend(self) -> None:
        """Make sure that somebody works, unless we were told to stop."""
        if self.stops or (self._engine is not None and self._engine.wait(0) is None):
            return
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        if lock_holder(self._home.lock) is not None:
            return
        try:
            self._engine = Foreground(self._options)
        except Busy:
            return  # somebody was quicker: follow

    def interrupt(self) -> bool:
        """Stop: politely the first time, at once the second. False when there is nothing of ours to stop."""
        self.stops += 1
        if self._engine is None:
            return False
        self._engine.stop()
        return True

    def has_ended(self) -> bool:
        """Whether our engine has gone after it was told to stop."""
        return self._engine is None or self._engine.wait(0) is not None
