"""``jobctl daemon stop``: stop the daemon and wait for its end."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from jobctl.config import Home
from jobctl.domain.durations import format_given
from jobctl.domain.wording import plural
from jobctl.errors import Busy
from jobctl.process import lock
from jobctl.process.daemon_handle import DaemonHandle
from jobctl.services.daemon.watched_wait import Look, nap_s, running_items

#: Seconds to wait for the end of a process that only waits for its turn.
_DISMISSAL_S = 5.0


def stop_daemon(
    home: Home, *, at_once: bool, timeout_s: float | None, tell: Callable[[str], None], look: Look | None = None
) -> bool:
    """Stop the daemon and wait until it has ended; returns whether there was one.

    A process that waits to be the next daemon is ended first. ``tell`` is called with the reason if the stop takes
    more than a second, ``look`` from time to time. Raises Busy if the daemon still runs after ``timeout_s`` seconds
    (None = no limit).
    """
    dismiss_next(home)
    daemon = DaemonHandle.find(home.lock)
    if daemon is None:
        return False
    try:
        ask_to_stop(daemon, at_once=at_once)
        if not at_once and not daemon.wait_gone(min(1.0, timeout_s if timeout_s is not None else 1.0)):
            tell(f"waiting for {waits_for(home)} (process {daemon.pid}); jobctl daemon stop --now ends it")
        if not has_ended(daemon, timeout_s, look):
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


def has_ended(daemon: DaemonHandle, timeout_s: float | None, look: Look | None) -> bool:
    """Wait for the end of a daemon, and call ``look`` from time to time; False if it still runs after the timeout."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        if daemon.wait_gone(nap_s(left, look)):
            return True
        if left is not None and (left == 0 or look is None):
            return False
        if look is not None:
            look()


def waits_for(home: Home) -> str:
    """Describe what the daemon waits for. Raises nothing, because a stop must work with a damaged database too."""
    running = running_items(home, time.time_ns() // 1000)
    if running is None:
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
