"""Claims items: as many as can start soon, shared fairly between jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from jobctl.domain.ports import Dispatch
from jobctl.engine.jobs.fair_share import JOBS_PER_CLAIM, Candidate, share
from jobctl.engine.jobs.limits import Limits
from jobctl.engine.jobs.live_job import UNKNOWN_MEAN_US, LiveJob
from jobctl.engine.jobs.ready_queue import ReadyQueue
from jobctl.engine.jobs.resources import Resources
from jobctl.store import items, jobs
from jobctl.store.database import Database

#: No item has more attempts; a larger number is damage, and the wire to the supervisor has no room for it.
_MOST_ATTEMPTS = 1 << 31


class Bounds(NamedTuple):
    """The bounds for the attempts that the executor may have."""

    capacity: int  # slots of the executor
    limits: Limits
    resources: Resources


def plan(ready_queue: ReadyQueue, bounds: Bounds, now: int) -> list[tuple[LiveJob, int]]:
    """Decide how many items each job may claim, so that no slot is idle and no item waits long after its claim."""
    ready: dict[int, LiveJob] = {}
    candidates: list[Candidate] = []
    ahead = wanted = demand = 0
    full_queues = set()
    for live in ready_queue.in_order():
        if live.row.queue in full_queues or (live.needs and _spare(live, bounds, ready_queue.in_need) <= 0):
            continue
        candidate = _candidate(live, bounds, ready_queue.in_queue, now)
        if candidate is None:
            full_queues.add(live.row.queue)
            ready_queue.touch(live)  # its turn may depend on time
            continue
        if len(candidates) >= JOBS_PER_CLAIM and wanted >= demand:
            break
        ready[live.id] = live
        candidates.append(candidate)
        wanted += candidate.wants
        ahead = max(ahead, live.lookahead(live.slots(bounds.capacity)))
        demand = bounds.capacity + ahead - ready_queue.in_hand
    parts: Iterable[tuple[LiveJob, int]] = [(ready[job], n) for job, n in share(candidates, demand)]
    if any(live.needs for live, _ in parts):
        parts = _within_resources(parts, bounds, ready_queue.in_need.copy())
    return list(_within_queues(parts, bounds, ready_queue.in_queue.copy()))


def _spare(live: LiveJob, bounds: Bounds, in_need: Counter[str]) -> int:
    """The number of further items for which the resources suffice. As with slots, some may wait for others."""
    return bounds.resources.left(live.needs, in_need) + live.lookahead(live.slots(bounds.capacity))


def _within_resources(
    parts: Iterable[tuple[LiveJob, int]], bounds: Bounds, in_need: Counter[str]
) -> Iterator[tuple[LiveJob, int]]:
    """Bound the items of all jobs together that need the same resources by the amount of these resources."""
    for live, wanted in parts:
        count = min(wanted, max(0, _spare(live, bounds, in_need))) if live.needs else wanted
        for name, amount in live.needs:
            in_need[name] += amount * count  # type: ignore[assignment]
        if count:
            yield live, count


def _within_queues(
    parts: Iterable[tuple[LiveJob, int]], bounds: Bounds, in_queue: dict[str, int]
) -> Iterator[tuple[LiveJob, int]]:
    """Bound the items of all jobs of a queue together by the slots of the queue."""
    slots = bounds.limits.queue_slots()
    for live, count in parts:
        limit = slots.get(live.row.queue)
        if limit is not None:
            left = limit + live.lookahead(min(limit, live.slots(bounds.capacity))) - in_queue[live.row.queue]
            count = min(count, max(0, left))
            in_queue[live.row.queue] += count
        if count:
            yield live, count


def _candidate(live: LiveJob, bounds: Bounds, in_queue: dict[str, int], now: int) -> Candidate | None:
    """None if its queue has no free slot, or a rate lets nothing start now."""
    wants = live.wants(bounds.capacity)
    queue_slots = bounds.limits.queue_slots().get(live.row.queue)
    if queue_slots is not None:
        slots = min(live.slots(bounds.capacity), queue_slots)
        wants = min(wants, queue_slots + live.lookahead(slots) - in_queue[live.row.queue])
    allowed = bounds.limits.allowed(live, now)
    if allowed is not None:
        wants = min(wants, allowed)
    if wants <= 0:
        return None
    cost_us = live.pace.mean_us or UNKNOWN_MEAN_US
    return Candidate(live.id, live.row.priority, live.used_us, wants, cost_us, live.row.owner, live.level_us)


class Claims(NamedTuple):
    """Attempts of a job that were claimed."""

    to_start: list[Dispatch]
    #: A person or a fault of the disk has changed their rows, so no command can be made of them.
    unreadable: list[Dispatch]


def claim(database: Database, epoch: int, live: LiveJob, limit: int, now: int) -> Claims:
    """Move up to ``limit`` items of a job to running, in the caller's transaction. Retries that are due come first."""
    due: list[items.Claimed] = []
    if live.next_due is not None and live.next_due <= now:
        due = items.claim_due(database, live.id, now, limit, epoch)
        live.next_due = items.next_due(database, live.id)
    fresh: list[items.Claimed] = []
    if len(due) < limit and live.counts["queued"]:
        fresh = items.claim(database, live.id, live.cursor, limit - len(due), epoch)
        if not fresh and live.cursor > 1:
            # An item below the cursor was given back without lowering the cursor. Search from the first item.
            fresh = items.claim(database, live.id, 1, limit - len(due), epoch)
    taken = due + fresh
    if not taken:
        return Claims([], [])
    if fresh:
        live.cursor = fresh[-1][0] + 1
    _count(database, live, len(due), len(fresh), now)
    live.charge([claimed[:2] for claimed in taken])
    claims = _dispatches(live, taken)
    if live.row.policy.timeouts_s:
        return claims._replace(to_start=_with_limits(database, live, claims.to_start))
    return claims


def _dispatches(live: LiveJob, taken: Sequence[items.Claimed]) -> Claims:
    """Make the commands of rows. A row that cannot be read must not end the engine for all jobs."""
    damaged = [claimed for claimed in taken if not 0 < claimed[1] < _MOST_ATTEMPTS]
    sound = [claimed for claimed in taken if claimed not in damaged] if damaged else taken
    made, unreadable = live.handler.dispatch_all(live.id, sound)
    damaged.extend(unreadable)
    return Claims(made, [Dispatch(live.id, item, attempt, (), ()) for item, attempt, _ in damaged])


def _with_limits(database: Database, live: LiveJob, made: Sequence[Dispatch]) -> list[Dispatch]:
    """The same attempts, each with its time limit: a round begins with the first one, and a crash uses up none."""
    budgets = items.budgets(database, live.id, [dispatch.item for dispatch in made])
    spent = {item: used.attempt - used.free for item, used in budgets.items()}
    most = len(live.row.policy.timeouts_s)
    return [each._replace(limit=min(max(spent.get(each.item, 1), 1), most) - 1) for each in made]


def _count(database: Database, live: LiveJob, due: int, fresh: int, now: int) -> None:
    deltas = {"running": due + fresh, "retrying": -due, "queued": -fresh}
    for name, delta in deltas.items():
        live.counts[name] += delta
    jobs.add_counts(database, live.id, deltas, cursor=live.cursor, updated_at=now)
