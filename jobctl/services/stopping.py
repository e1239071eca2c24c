"""Stopping the daemon from outside."""

from __future__ import annotations

import signal
from collections.abc import Callable

from jobctl.config import Home
from jobctl.process.daemon import Daemon


def stop_daemon(home: Home, *, at_once: bool, timeout_s: float | None, tell: Callable[[str], None]) -> bool | None:
    """Ask the daemon to stop and wait until it has gone.

    True when it has, False when it still runs after the timeout, None when there was none. ``tell`` hears why it
    takes time.
    """
    daemon = Daemon.find(home.lock)
    if daemon is None:
        return None
    try:
        daemon.send(signal.SIGTERM)
        if at_once:
            # The second signal means "now"; another one of the same kind could be merged with the first.
            daemon.send(signal.SIGINT)
        elif not daemon.wait_gone(min(1.0, timeout_s if timeout_s is not None else 1.0)):
            tell(f"waiting for what runs to finish (process {daemon.pid}); jobctl daemon stop --now ends it")
        return daemon.wait_gone(timeout_s)
    finally:
        daemon.close()
