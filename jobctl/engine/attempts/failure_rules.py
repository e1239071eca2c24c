"""Decides whether the failures of a job stop it."""

from __future__ import annotations

from jobctl.domain.policy import allowed_failures
from jobctl.domain.states import Stop
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.handlers.handler import ABSENT_LIMIT
from jobctl.handlers.kinds import kind_of


def breaks_rule(live: LiveJob) -> tuple[Stop, str] | None:
    """The failure rule that the job's counters break, with the sentence for its state_reason."""
    policy, failed, processed = live.row.policy, live.failed, live.processed
    if live.absent_in_a_row >= ABSENT_LIMIT and live.missing_variables:
        return Stop.COMMAND, live.missing_variables
    if live.absent_in_a_row >= ABSENT_LIMIT:
        absent_reason = kind_of(live.row.handler).absent_reason
        return Stop.COMMAND, absent_reason(live.absent_in_a_row, live.absent_message)
    if policy.max_failures is None or failed <= 0:
        return None
    if failed <= allowed_failures(policy.max_failures, processed):
        return None
    if policy.max_failures.endswith("%") and processed < policy.min_finished:
        return None
    which = f" in round {live.row.round}" if live.row.round > 1 else ""
    return Stop.FAILURES, f"{failed} of {processed} items failed{which}, more than the {policy.max_failures} allowed"
