"""``jobctl run``: run one job in the foreground, or follow it if a daemon is running."""

from __future__ import annotations

from contextlib import closing
from types import TracebackType
from typing import Self

from jobctl.config import Home
from jobctl.domain.states import TERMINAL_JOB_STATES
from jobctl.errors import Busy, Exit, JobctlError
from jobctl.process.daemon import ForegroundSupervisor
from jobctl.process.daemon_handle import DaemonHandle, lock_holder
from jobctl.process.start_options import StartOptions
from jobctl.services.daemon.options import refuse_elsewhere
from jobctl.store import jobs
from jobctl.store.opening.open import open_database


class ForegroundRun:
    """An engine for one job, which ends with this process. If a daemon is running, it does the work instead.

    Entering starts the engine, and ``settle`` waits until it is ready, so that the caller can prepare something in
    between. The caller calls ``tend`` from time to time: if the daemon ends before the job is done, ``tend`` starts an
    engine.
    """

    def __init__(self, options: StartOptions) -> None:
        """``options.scope`` is the number of the job."""
        self._home = options.home
        self._options = options
        self._engine: ForegroundSupervisor | None = None
        self._is_settled = True
        self._followed: DaemonHandle | None = None
        self.stops = 0

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine.wait(30.0)
        self._let_go()

    @property
    def follows(self) -> bool:
        """Whether the engine of another process runs the job."""
        return self._engine is None

    def descriptors(self) -> tuple[int, ...]:
        """Descriptors that become readable when the engine has ended: call ``tend`` then, unless the job is done."""
        worker = self._engine or self._followed
        return () if worker is None else (worker.fileno(),)

    def tend(self) -> None:
        """Make sure that an engine works on the job, unless it was stopped. Raises Elsewhere, JobctlError."""
        self._begin()
        self.settle()

    def settle(self) -> None:
        """Wait until the engine that was started is ready. Raises JobctlError if it cannot start."""
        if self._engine is None or self._is_settled:
            return
        self._is_settled = True
        try:
            self._engine.await_ready()
        except JobctlError as problem:
            self._engine = None
            if not isinstance(problem, Busy):  # another engine was faster, and the next call of ``tend`` follows it
                raise

    def _begin(self) -> None:
        if self.stops or (self._engine is not None and self._engine.wait(0) is None):
            return
        if self._engine is not None:
            had_to_end = self._engine.wait(0) == Exit.INTERNAL
            self._engine.close()
            self._engine = None
            if had_to_end:
                raise JobctlError(
                    f"job {self._options.scope} cannot run now; the reason is above",
                    hint=f"fix that, then: jobctl run --resume {self._options.scope}, or jobctl daemon start",
                )
        if self._follow():
            return
        refuse_elsewhere(self._options)
        self._engine = ForegroundSupervisor(self._options)
        self._is_settled = False

    def _follow(self) -> bool:
        """Follow the daemon that is running; False if there is none."""
        if self._followed is not None and not self._followed.wait_gone(0):
            return True
        self._let_go()
        self._followed = DaemonHandle.find(self._home.lock)
        return self._followed is not None or lock_holder(self._home.lock) is not None

    def _let_go(self) -> None:
        if self._followed is not None:
            self._followed.close()
            self._followed = None

    def interrupt(self) -> bool:
        """Stop the engine: the first call lets running items finish, the second one ends them.

        False if a daemon does the work, which then continues.
        """
        self.stops += 1
        if self._engine is None:
            return False
        self._engine.stop()
        return True

    def has_ended(self) -> bool:
        """Return whether no engine runs any more, neither this one nor that of a daemon."""
        if self._engine is None:
            return lock_holder(self._home.lock) is None
        return self._engine.wait(0) is not None


def is_done(home: Home, number: int) -> bool:
    """Return whether a job exists and is done."""
    with closing(open_database(home)) as database:
        row = jobs.load(database, number)
    return row is not None and row.state in TERMINAL_JOB_STATES
