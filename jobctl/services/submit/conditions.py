"""Checks before a submission that are not about its own options and rows."""

from __future__ import annotations

from jobctl.config import Home
from jobctl.errors import Busy, UsageError
from jobctl.services.submit.request import SubmitRequest


def refuse_hold(request: SubmitRequest) -> None:
    """Raises UsageError for a held job if somebody waits for its end."""
    if request.hold:
        raise UsageError(
            "--hold: a held job does not start, so waiting for it would never end",
            hint="leave --hold out, or do not wait",
        )


def refuse_without_daemon(home: Home, request: SubmitRequest) -> None:
    """Raises Busy if no daemon runs the job that somebody waits for, before anything is accepted.

    Without a key each further try would be another job. With a key, the job may be done already.
    """
    from jobctl.domain.blockers import DAEMON_DOWN
    from jobctl.process.lock import holder

    if request.key is None and holder(str(home.lock)) is None:
        raise Busy(
            f"--wait: {DAEMON_DOWN.sentence}, so nothing was accepted",
            hint="start one with: jobctl daemon start; or give --start-daemon, or use jobctl run",
        )
