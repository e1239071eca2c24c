"""Who gets the next free slots: fair sharing by slot time used.

Higher priority first. Between jobs of one priority the next slot goes to the job that has used the least slot
time; a job that becomes active starts level with the one that has used least, so it neither waits for the others'
past nor makes up for its own absence. A million-row job thus cannot starve a ten-row job submitted later: the
newcomer gets the next slot that comes free, and from then on its half.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Candidate(NamedTuple):
    """A job that could start something."""

    job: int
    priority: int
    used_us: float
    wants: int  # how many it could take now
    cost_us: float  # expected slot time of one


#: Jobs served in one claim; the others have their turn in the next, so many live jobs cost no more than a few.
JOBS_PER_CLAIM = 8


def share(candidates: Iterable[Candidate], demand: int) -> list[tuple[int, int]]:
    """Split ``demand`` free places among jobs: (job, how many) in the order in which to serve them."""
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
    """Hand out one by one to whoever has used least, in steps large enough to take few rounds."""
    used = {c.job: c.used_us for c in jobs}
    left = {c.job: c.wants for c in jobs}
    cost = {c.job: max(c.cost_us, 1.0) for c in jobs}
    parts = dict.fromkeys(used, 0)
    while demand > 0:
        open_jobs = [job for job in used if left[job] > 0]
        if not open_jobs:
            break
        poorest = min(open_jobs, key=lambda job: (used[job], job))
        step = min(max(1, demand // (8 * len(open_jobs))), left[poorest], demand)
        if len(open_jobs) == 1:
            step = min(left[poorest], demand)
        parts[poorest] += step
        left[poorest] -= step
        used[poorest] += step * cost[poorest]
        demand -= step
    return parts
