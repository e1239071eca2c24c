"""The worst case that a policy allows, said before anything runs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from jobctl.domain.durations import format_duration
from jobctl.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Bounds:
    """Longest times in seconds; None = there is no bound."""

    item_s: float | None
    job_s: float | None
    sentence: str


def worst_case(policy: Policy, items: int, slots: int) -> Bounds:
    """What one item and the whole job can take at most, once a slot is free, if jobctl is not interrupted."""
    item_s = _item_s(policy)
    job_s = None if item_s is None else item_s * math.ceil(items / max(1, slots))
    if policy.deadline_s is not None:
        end_s = policy.deadline_s + policy.grace_s
        job_s = end_s if job_s is None else min(job_s, end_s)
    return Bounds(item_s, job_s, _sentence(policy, item_s, job_s, slots))


def _item_s(policy: Policy) -> float | None:
    if policy.timeout_s is None:
        return None
    waits = sum(policy.backoff.ceiling_s(n) for n in range(1, policy.attempts))
    return policy.attempts * (policy.timeout_s + policy.grace_s) + waits


def _sentence(policy: Policy, item_s: float | None, job_s: float | None, slots: int) -> str:
    if item_s is None and job_s is None:
        return "no upper bound: there is neither --timeout nor --deadline"
    tries = "1 attempt" if policy.attempts == 1 else f"{policy.attempts} attempts"
    if item_s is None:
        return (
            f"at most {format_duration(job_s or 0)} for the job (its deadline); no bound for an item without --timeout"
        )
    item = f"at most {format_duration(item_s)} an item ({tries}, waits and ends included)"
    return f"{item}, {format_duration(job_s or 0)} for the job with {slots} at once"
