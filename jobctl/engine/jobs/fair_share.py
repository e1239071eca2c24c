"""Decides which job gets the next free slots: fair sharing by slot time used.

The higher priority goes first. Between jobs of one priority the next slot goes to the job that has used the least slot
time. A job that becomes active starts level with the job that has used least, so it neither has to wait nor makes up
for its own absence. So a job of a million rows cannot starve a job of ten rows that is submitted later: the new job
gets the next slot that becomes free, and half of the slots from then on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Candidate(NamedTuple):
    """A job that could start items."""

    job: int
    priority: int
    used_us: float
    wants: int  # the number of items that it could start now
    cost_us: float  # expected slot time of one item


#: The number of jobs that start items in one claim. The others start theirs in the next claim, so the cost of a
#: claim does not grow with the number of jobs.
JOBS_PER_CLAIM = 8


def share(candidates: Iterable[Candidate], demand: int) -> list[tuple[int, int]]:
    """Split ``demand`` free slots among jobs: (job, number of items) in the order in which they claim."""
    order = sorted(candidates, key=lambda c: (-c.priority, c.used_us, c.job))
    given: list[tuple[int, int]] = []
    while order and demand > 0:
        top = [c for c in order[:JOBS_PER_CLAIM] if c.priority == order[0].priority]
        parts = _level(top, demand)
        given.extend((job, n) for job, n in parts.items() if n)
        demand -= sum(parts.values())
        order = order[len(top) :]
    return given


def _level(jobs: list[Candidate], demand: int) -> dict[int, int]:
    """Give the slots one by one to the job that has used least, in steps that are large enough to take few rounds."""
    used = {c.job: c.used_us for c in jobs}
    left = {c.job: c.wants for c in jobs}
    cost = {c.job: max(c.cost_us, 1.0) for c in jobs}
    parts = dict.fromkeys(used, 0)
    while demand > 0:
        open_jobs = [job for job in used if left[job] > 0]
        if not open_jobs:
            break
        least = min(open_jobs, key=lambda job: (used[job], job))
        step = min(max(1, demand // (8 * len(open_jobs))), left[least], demand)
        if len(open_jobs) == 1:
            step = min(left[least], demand)
        parts[least] += step
        left[least] -= step
        used[least] += step * cost[least]
        demand -= step
    return parts
