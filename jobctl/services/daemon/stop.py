"""``jobctl daemon stop``: stop the daemon and wait for its end."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import closing

from jobctl.config import Home
from jobctl.domain.durations import format_given
from jobctl.domain.wording import plural
from jobctl.errors import Busy, JobctlError
from jobctl.process import lock
from jobctl.process.daemon_handle import DaemonHandle
from jobctl.services.daemon.running import running_in
from jobctl.store import sqlite
from jobctl.store.opening.open import open_database

#: Seconds to wait for the end of a process that only waits for its turn.
_DISMISSAL_S = 5.0


def stop_daemon(home: Home, *, at_once: bool, timeout_s: float | None, tell: Callable[[str], None]) -> bool:
    """Stop the daemon and wait until it has ended; returns whether there was one.

    A process that waits to be the next daemon is ended first. ``tell`` is called with the reason if the stop takes
    more than a second. Raises Busy if the daemon still runs after ``timeout_s`` seconds (None = no limit).
    """
    dismiss_next(home)
    daemon = DaemonHandle.find(home.lock)
    if daemon is None:
        return False
    try:
        ask_to_stop(daemon, at_once=at_once)
        if not at_once and not daemon.wait_gone(min(1.0, timeout_s if timeout_s is not None else 1.0)):
            tell(f"waiting for {waits_for(home)} (process {daemon.pid}); jobctl daemon stop --now ends it")
        if not daemon.wait_gone(timeout_s):
            raise Busy(
                f"the daemon still waits for running items after {format_given(timeout_s or 0.0)}",
                hint="jobctl daemon stop --now ends them, jobctl daemon status shows them",
            )
        return True
    finally:
        daemon.close()


def ask_to_stop(daemon: DaemonHandle, *, at_once: bool) -> None:
    """Ask a daemon to stop; ``at_once`` ends its running items."""
    daemon.send(signal.SIGTERM)
    if at_once:
        # The second signal means "now"; another one of the same kind could be merged with the first.
        daemon.send(signal.SIGINT)


def waits_for(home: Home) -> str:
    """Describe what the daemon waits for. Raises nothing, because a stop must work with a damaged database too."""
    try:
        with closing(open_database(home)) as database:
            running = running_in(database, home, time.time_ns() // 1000)
    except (JobctlError, sqlite.Error, OSError):
        return "running items to finish"
    return f"{plural(running, 'running item')} to finish" if running else "its last results to be written"


def dismiss_next(home: Home) -> None:
    """End the process that waits to be the next daemon: otherwise it would start as soon as this daemon ends."""
    waiting = DaemonHandle.find(home.lock, lock.next_in_line)
    if waiting is None:
        return
    try:
        waiting.send(signal.SIGTERM)
        waiting.wait_gone(_DISMISSAL_S)  # unless it has just become the daemon
    finally:
        waiting.close()
