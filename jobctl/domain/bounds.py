"""The longest time that a policy allows, shown before anything runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jobctl.domain.durations import format_duration
from jobctl.domain.policy import Policy

#: From this attempt on, every attempt has the same time limit and the same longest wait after it.
_CHANGING = 66


@dataclass(frozen=True, slots=True)
class WorstCase:
    """The longest possible times in seconds; None = unlimited."""

    item_s: float | None
    job_s: float | None
    sentence: str


def worst_case(
    policy: Policy, items: int, slots: int | None, rates_per_s: Sequence[float] = (), *, now: int
) -> WorstCase:
    """The longest time for one item and for the whole job, once slots are free, if jobctl is not interrupted.

    ``slots``: the number of items that run at once; None = not known yet. ``rates_per_s``: the starts per second that
    the job and its queue allow. ``now`` is in microseconds since 1970.
    """
    item_s = _item_s(policy)
    work_s = None if item_s is None or slots is None else item_s * math.ceil(items / max(1, slots))
    if work_s is not None and rates_per_s:
        work_s += items * policy.attempts / min(rates_per_s)  # every attempt waits for its start
    ends_at = policy.ends_at(now)
    end_s = None if ends_at is None else max(0, ends_at - now) / 1e6 + policy.grace_s
    job_s = min((each for each in (work_s, end_s) if each is not None), default=None)
    by_deadline = job_s is not None and job_s != work_s
    return WorstCase(item_s, job_s, _sentence(policy, item_s, _job(job_s, slots, by_deadline=by_deadline)))


def _item_s(policy: Policy) -> float | None:
    if policy.timeout_s is None:
        return None
    limits = _sum(lambda attempt: policy.limit_s(attempt) or 0.0, policy.attempts)
    return limits + policy.attempts * policy.grace_s + _sum(policy.backoff.ceiling_s, policy.attempts - 1)


def _sum(value: Callable[[int], float], count: int) -> float:
    """The sum of a value for the attempts 1 to ``count``, of which there may be a thousand million."""
    first = min(count, _CHANGING)
    return sum(map(value, range(1, first + 1))) + (count - first) * value(_CHANGING)


def _job(job_s: float | None, slots: int | None, *, by_deadline: bool) -> str:
    """The bound of the job in words; empty without one."""
    if job_s is None:
        return ""
    return f"{format_duration(job_s)} for the job {'(its deadline)' if by_deadline else f'with {slots} at once'}"


def _sentence(policy: Policy, item_s: float | None, job: str) -> str:
    if item_s is None:
        if not job:
            return "no time limit: neither --timeout nor --deadline is set"
        return f"at most {job}; no limit for an item without --timeout"
    tries = "1 attempt" if policy.attempts == 1 else f"{policy.attempts} attempts"
    item = f"at most {format_duration(item_s)} an item ({tries}, waits and ends included)"
    return f"{item}, {job}" if job else f"{item}; no limit for the job, as it is not known how many run at once"
