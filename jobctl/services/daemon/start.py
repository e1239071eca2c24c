"""Start a daemon, or raise an error that says what prevents the start."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from jobctl.config import Home
from jobctl.domain.blocker_kinds import DAEMON_ELSEWHERE, DAEMON_STOPS
from jobctl.errors import Busy
from jobctl.process import lock
from jobctl.process.daemon import exec_foreground, start_detached
from jobctl.process.start_options import StartOptions
from jobctl.services.daemon.options import DaemonRequest, refuse_elsewhere, start_options
from jobctl.services.daemon.view import daemon_document_of, daemon_view
from jobctl.services.daemon.watched_wait import Look
from jobctl.store.opening.open import open_database

if TYPE_CHECKING:
    from jobctl.domain.documents.daemon import DaemonDocument
    from jobctl.domain.documents.program import DaemonRunDocument
    from jobctl.services.settings.settings import Settings


class StartedDaemon(NamedTuple):
    """A daemon that is ready."""

    pid: int
    document: DaemonDocument


def start(home: Home, wanted: DaemonRequest, settings: Settings, now: int, look: Look | None = None) -> StartedDaemon:
    """Start a daemon that outlives this process; returns when it is ready. ``now`` is in microseconds UTC.

    ``look`` is called from time to time until then.

    Raises UsageError, Busy if another process has the store, and Elsewhere if a cluster may still run its items.
    """
    options = ready_to_start(start_options(home, wanted, settings))
    try:
        pid = start_detached(options, look)
    except Busy as error:
        raise _holder(home, now) or error from None
    return StartedDaemon(pid, daemon_document_of(home, now))


def become(options: StartOptions, announce: Callable[[], None] | None = None) -> None:
    """Become the daemon in this process; does not return.

    ``announce`` is called when the start can no longer fail. Raises Busy, Elsewhere.
    """
    exec_foreground(ready_to_start(options), announce)


def ready_to_start(options: StartOptions) -> StartOptions:
    """Create the store before a daemon starts: an error then reaches the caller, and not only the log of the daemon."""
    open_database(options.home, create=True).close()  # closed again: no connection may cross a fork
    refuse_elsewhere(options)
    return options


def _holder(home: Home, now: int) -> Busy | None:
    """The error that describes the process with the store; None if it is a daemon that runs all jobs."""
    with closing(open_database(home)) as database:
        view = daemon_view(database, home, now)
    if view.state == "draining":
        return Busy(
            DAEMON_STOPS.words(pid=view.pid),
            hint="jobctl daemon stop && jobctl daemon start waits for that, with stop --now it does not",
        )
    if view.is_working and view.scope != "all":
        return Busy(
            DAEMON_ELSEWHERE.words(pid=view.pid, scope=view.scope),
            hint=DAEMON_ELSEWHERE.command(jobctl="jobctl", scope=view.scope),
        )
    return None


def start_for_job(options: StartOptions, job: int) -> int | None:
    """Start a daemon for a job; returns its process id, or None if a daemon runs the job or waits for its turn.

    If another process has the store, the daemon waits for its turn.
    """
    from jobctl.services.daemon.wait import is_served_after_start

    home = options.home
    path = str(home.lock)
    if lock.next_in_line(path) is not None:
        return None
    if lock.holder(path) is not None:
        with closing(open_database(home)) as database:
            if is_served_after_start(database, home, job):
                return None
    try:
        return start_detached(replace(options, in_line=True))
    except Busy:
        return None


def run_document(options: StartOptions, pid: int) -> DaemonRunDocument:
    """Return ``jobctl.daemon_run/1``: the daemon that this process becomes."""
    return {
        "schema": "jobctl.daemon_run/1",
        "pid": pid,
        "home": str(options.home.root),
        "slots": options.slots,
        "drain": options.drain,
    }
