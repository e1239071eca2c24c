"""Decides which job gets the next free slots: fair sharing by slot time used.

The higher priority goes first. Between jobs of one priority the next slot goes to the job that has used the least slot
time. A job that becomes active starts level with the job that has used least, so it neither has to wait nor makes up
for its own absence. So a job of a million rows cannot starve a job of ten rows that is submitted later: the new job
gets the next slot that becomes free, and half of the slots from then on.

All jobs that one token has submitted have one share together, as if they were one job. So a program that submits a
thousand jobs gets no more slots than one that submits a single job.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(slots=True)
class Share:
    """The slot time that all jobs of one owner have used."""

    used_us: float


class Candidate(NamedTuple):
    """A job that could start items."""

    job: int
    priority: int
    used_us: float
    wants: int  # the number of items that it could start now
    cost_us: float  # expected slot time of one item
    owner: str | None = None
    level_us: float | None = None  # the slot time that all jobs of its owner have used; None = it is alone

    @property
    def group(self) -> str | int:
        """The jobs with which it shares."""
        return self.job if self.owner is None else self.owner

    @property
    def level(self) -> float:
        """The slot time that counts for its group."""
        return self.used_us if self.level_us is None else self.level_us


#: The number of jobs that start items in one claim. The others start theirs in the next claim, so the cost of a
#: claim does not grow with the number of jobs.
JOBS_PER_CLAIM = 8


def share(candidates: Iterable[Candidate], demand: int) -> list[tuple[int, int]]:
    """Split ``demand`` free slots among jobs: (job, number of items) in the order in which they claim."""
    order = _ordered(candidates)
    given: list[tuple[int, int]] = []
    while order and demand > 0:
        top = [c for c in order[:JOBS_PER_CLAIM] if c.priority == order[0].priority]
        parts = _level(top, demand)
        given.extend((job, n) for job, n in parts.items() if n)
        demand -= sum(parts.values())
        order = order[len(top) :]
    return given


def _ordered(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The jobs in the order of their turns: the first of each group before the second of any, by priority."""
    found = sorted(candidates, key=lambda c: (-c.priority, c.level, c.used_us, c.job))
    if all(c.owner is None for c in found):
        return found
    seen = Counter[tuple[int, str | int]]()
    ranks = {}
    for c in found:
        ranks[c.job] = seen[c.priority, c.group]
        seen[c.priority, c.group] += 1
    return sorted(found, key=lambda c: (-c.priority, ranks[c.job], c.level, c.used_us, c.job))


def _level(jobs: list[Candidate], demand: int) -> dict[int, int]:
    """Give the slots one by one to the group that has used least, in steps that are large enough to take few rounds.

    Within a group, the job that has used least gets them.
    """
    used = {c.job: c.used_us for c in jobs}
    level = {c.group: c.level for c in jobs}
    group = {c.job: c.group for c in jobs}
    left = {c.job: c.wants for c in jobs}
    cost = {c.job: max(c.cost_us, 1.0) for c in jobs}
    parts = dict.fromkeys(used, 0)
    while demand > 0:
        open_jobs = [job for job in used if left[job] > 0]
        if not open_jobs:
            break
        least = min(open_jobs, key=lambda job: (level[group[job]], used[job], job))
        step = min(max(1, demand // (8 * len(open_jobs))), left[least], demand)
        if len(open_jobs) == 1:
            step = min(left[least], demand)
        parts[least] += step
        left[least] -= step
        used[least] += step * cost[least]
        level[group[least]] += step * cost[least]
        demand -= step
    return parts
