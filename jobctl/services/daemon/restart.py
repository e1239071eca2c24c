"""``jobctl daemon restart``: the next daemon waits in line while the running one stops.

So the next one also starts if the terminal closes, or if Ctrl-C ends the wait for items that run for hours.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from jobctl.config import Home
from jobctl.domain.blocker_kinds import DAEMON_ELSEWHERE
from jobctl.domain.durations import format_given
from jobctl.errors import Busy, JobctlError, OlderDaemon
from jobctl.process import lock, moment
from jobctl.process.daemon import start_detached
from jobctl.process.daemon_handle import DaemonHandle
from jobctl.process.running_options import RunningOptions, running_options, systemd_unit
from jobctl.services.daemon.changes import StoreWatch
from jobctl.services.daemon.options import DaemonRequest, daemon_slots, start_options
from jobctl.services.daemon.start import StartedDaemon, ready_to_start, start
from jobctl.services.daemon.stop import ask_to_stop, dismiss_next, has_ended, stop_daemon, waits_for
from jobctl.services.daemon.view import daemon_document_of, daemon_view
from jobctl.services.daemon.watched_wait import Look
from jobctl.store.opening.open import open_database

if TYPE_CHECKING:
    from jobctl.process.start_options import StartOptions
    from jobctl.services.settings.settings import Settings

#: Seconds that the next daemon may take to become ready after the one before it has ended.
_START_S = 60.0
_LOOK_S = 1.0


class Stop(NamedTuple):
    """How the running daemon stops."""

    at_once: bool  # its running items are ended
    timeout_s: float | None  # the wait for its end; None = no limit
    tell: Callable[[str], None]  # gets the reason if it takes more than a second
    look: Look | None = None  # called from time to time


class Restarted(NamedTuple):
    """The daemon that runs now."""

    daemon: StartedDaemon
    was_running: bool


def restart(home: Home, wanted: DaemonRequest, settings: Settings, stop: Stop) -> Restarted:
    """Replace the running daemon by one with the same options, except for those of ``wanted``; start one if none runs.

    The options that the settings decide are read again. Raises UsageError before anything stops, and Busy for a daemon
    that another program manages, or if the daemon still runs after the timeout: the next one starts when it has ended.
    """
    daemon = DaemonHandle.find(home.lock)
    if daemon is None:
        return Restarted(start(home, wanted, settings, moment.now()), was_running=False)
    try:
        found = running_options(daemon.pid)
        _refuse_managed(daemon.pid, found)
        options = _next_options(home, wanted, settings, _of_the_next(home) or found)
        try:
            ready_to_start(options)
        except OlderDaemon:  # its store must be migrated, which needs its end
            stop_daemon(home, at_once=stop.at_once, timeout_s=stop.timeout_s, tell=stop.tell, look=stop.look)
            return Restarted(start(home, wanted, settings, moment.now()), was_running=True)
        return Restarted(_replace(home, daemon, options, stop), was_running=True)
    finally:
        daemon.close()


def _refuse_managed(pid: int, found: RunningOptions | None) -> None:
    """Raises Busy for a daemon whose end another program notices: it would start a second one, or end its container."""
    unit = systemd_unit(pid)
    if unit is not None:
        name, of_user = unit
        raise Busy(
            f"systemd runs the daemon as {name} (process {pid})",
            hint=f"systemctl {'--user ' if of_user else ''}restart {name.removesuffix('.service')}",
        )
    if found is not None and found.options.scope is not None:
        scope = str(found.options.scope)
        raise Busy(
            DAEMON_ELSEWHERE.words(pid=pid, scope=scope), hint=DAEMON_ELSEWHERE.command(jobctl="jobctl", scope=scope)
        )
    if found is not None and found.foreground:
        raise Busy(
            f"the daemon runs in the foreground (process {pid}), where it was started with jobctl daemon run",
            hint="end it with jobctl daemon stop, and start it there again",
        )


def _of_the_next(home: Home) -> RunningOptions | None:
    """Return the options of the daemon that an earlier restart has put in line, if any were given to it."""
    waiting = lock.next_in_line(str(home.lock))
    found = running_options(waiting) if waiting else None
    return found if found is not None and found.given else None


def _next_options(home: Home, wanted: DaemonRequest, settings: Settings, found: RunningOptions | None) -> StartOptions:
    """Return the options of the next daemon: those that are wanted, those that were given before, and the settings."""
    if found is None:
        return start_options(home, wanted, settings)
    if wanted.slots is None and "slots" in found.given:
        wanted = wanted._replace(slots=found.options.slots or None)
    options = start_options(home, wanted, settings)
    if wanted.cluster or "cluster" not in found.given:
        return options
    cluster = found.options.cluster
    slots = daemon_slots(wanted.slots, settings, on_cluster=bool(cluster))
    return replace(options, cluster=cluster, slots=slots, given=(*options.given, "cluster"))


def _replace(home: Home, before: DaemonHandle, options: StartOptions, stop: Stop) -> StartedDaemon:
    """Let the next daemon wait in line, and stop the running one."""
    dismiss_next(home)
    pid = start_detached(replace(options, in_line=True))
    ask_to_stop(before, at_once=stop.at_once)
    patience_s = 1.0 if stop.timeout_s is None else min(1.0, stop.timeout_s)
    if not stop.at_once and not before.wait_gone(patience_s):
        stop.tell(f"waiting for {waits_for(home)} (process {before.pid}); jobctl daemon restart --now ends it")
    if not has_ended(before, stop.timeout_s, stop.look):
        raise Busy(
            f"the daemon still waits for running items after {format_given(stop.timeout_s or 0.0)}; the next one "
            f"(process {pid}) starts when they have ended",
            hint="jobctl daemon restart --now ends them, jobctl daemon status shows them",
        )
    _await_ready(home, pid)
    return StartedDaemon(pid, daemon_document_of(home, moment.now()))


def _await_ready(home: Home, pid: int) -> None:
    """Wait until a daemon that was next in line runs. Raises JobctlError if it does not start."""
    deadline = time.monotonic() + _START_S
    with closing(open_database(home)) as database, StoreWatch(database, home) as watch:
        while (left_s := deadline - time.monotonic()) > 0:
            view = daemon_view(database, home, moment.now())
            if view.pid == pid and view.is_working:
                return
            # In this order: the daemon moves on from the line to the lock, and could be missed between two looks.
            if pid not in (lock.next_in_line(str(home.lock)), lock.holder(str(home.lock))):
                break
            watch.wait(min(left_s, _LOOK_S))
    raise JobctlError("the daemon has stopped, and the next one does not start", hint=f"look at {home.daemon_log}")
