"""Claim: queued items to attempts, as many as can start soon, shared fairly between jobs."""

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

#: A number above it is no count of attempts, and no supervisor has room for it.
_MOST_ATTEMPTS = 1 << 31


class Room(NamedTuple):
    """What may be handed to the executor now."""

    capacity: int  # slots of the executor
    limits: Limits
    resources: Resources


def plan(ready_queue: ReadyQueue, room: Room, now: int) -> list[tuple[LiveJob, int]]:
    """Which jobs may claim how many items, so that no slot waits and nothing is claimed long before it can start."""
    ready: dict[int, LiveJob] = {}
    candidates: list[Candidate] = []
    ahead = wanted = demand = 0
    full = set()  # queues
    for live in ready_queue.in_order():
        if live.row.queue in full or (live.needs and _spare(live, room, ready_queue.in_need) <= 0):
            continue
        candidate = _candidate(live, room, ready_queue.in_queue, now)
        if candidate is None:
            full.add(live.row.queue)
            ready_queue.touch(live)  # its turn may depend on time
            continue
        if len(candidates) >= JOBS_PER_CLAIM and wanted >= demand:
            break
        ready[live.id] = live
        candidates.append(candidate)
        wanted += candidate.wants
        ahead = max(ahead, live.lookahead(live.slots(room.capacity)))
        demand = room.capacity + ahead - ready_queue.in_hand
    parts: Iterable[tuple[LiveJob, int]] = [(ready[job], n) for job, n in share(candidates, demand)]
    if any(live.needs for live, _ in parts):
        parts = _within_resources(parts, room, ready_queue.in_need.copy())
    return list(_within_queues(parts, room, ready_queue.in_queue.copy()))


def _spare(live: LiveJob, room: Room, in_need: Counter[str]) -> int:
    """How many more there is enough of for: as with slots, some may wait for those before them."""
    return room.resources.left(live.needs, in_need) + live.lookahead(live.slots(room.capacity))


def _within_resources(
    parts: Iterable[tuple[LiveJob, int]], room: Room, in_need: Counter[str]
) -> Iterator[tuple[LiveJob, int]]:
    """Jobs that need the same things together take no more than there is of them."""
    for live, wanted in parts:
        count = min(wanted, max(0, _spare(live, room, in_need))) if live.needs else wanted
        for name, amount in live.needs:
            in_need[name] += amount * count  # type: ignore[assignment]
        if count:
            yield live, count


def _within_queues(
    parts: Iterable[tuple[LiveJob, int]], room: Room, in_queue: dict[str, int]
) -> Iterator[tuple[LiveJob, int]]:
    """Jobs of one queue together take no more than it has room for."""
    slots = room.limits.queue_slots()
    for live, count in parts:
        limit = slots.get(live.row.queue)
        if limit is not None:
            left = limit + live.lookahead(min(limit, live.slots(room.capacity))) - in_queue[live.row.queue]
            count = min(count, max(0, left))
            in_queue[live.row.queue] += count
        if count:
            yield live, count


def _candidate(live: LiveJob, room: Room, in_queue: dict[str, int], now: int) -> Candidate | None:
    """None when its queue has no room, or a rate lets nothing start now."""
    wants = live.wants(room.capacity)
    queue_slots = room.limits.queue_slots().get(live.row.queue)
    if queue_slots is not None:
        slots = min(live.slots(room.capacity), queue_slots)
        wants = min(wants, queue_slots + live.lookahead(slots) - in_queue[live.row.queue])
    allowed = room.limits.allowed(live, now)
    if allowed is not None:
        wants = min(wants, allowed)
    if wants <= 0:
        return None
    return Candidate(live.id, live.row.priority, live.used_us, wants, live.pace.mean_us or UNKNOWN_MEAN_US)


class Claims(NamedTuple):
    """Attempts of a job that began."""

    to_start: list[Dispatch]
    unreadable: list[Dispatch]  # nothing can be made of their rows, which a hand or a fault of the disk has changed


def claim(database: Database, epoch: int, live: LiveJob, limit: int, now: int) -> Claims:
    """Move up to ``limit`` items of a job to running, in the caller's transaction; retries that are due come first."""
    due: list[items.Claimed] = []
    if live.next_due is not None and live.next_due <= now:
        due = items.claim_due(database, live.id, now, limit, epoch)
        live.next_due = items.next_due(database, live.id)
    fresh: list[items.Claimed] = []
    if len(due) < limit and live.counts["queued"]:
        fresh = items.claim(database, live.id, live.cursor, limit - len(due), epoch)
        if not fresh and live.cursor > 1:
            # Something was given back below the cursor by a path that did not lower it: look from the start.
            fresh = items.claim(database, live.id, 1, limit - len(due), epoch)
    taken = due + fresh
    if not taken:
        return Claims([], [])
    if fresh:
        live.cursor = fresh[-1][0] + 1
    _count(database, live, len(due), len(fresh), now)
    live.charge([claimed[:2] for claimed in taken])
    return _dispatches(live, taken)


def _dispatches(live: LiveJob, taken: Sequence[items.Claimed]) -> Claims:
    """One row that cannot be read must not end the engine for all jobs."""
    odd = [claimed for claimed in taken if not 0 < claimed[1] < _MOST_ATTEMPTS]
    sound = [claimed for claimed in taken if claimed not in odd] if odd else taken
    made, unreadable = live.handler.dispatch_all(live.id, sound)
    odd.extend(unreadable)
    return Claims(made, [Dispatch(live.id, item, attempt, (), ()) for item, attempt, _ in odd])


def _count(database: Database, live: LiveJob, due: int, fresh: int, now: int) -> None:
    deltas = {"running": due + fresh, "retrying": -due, "queued": -fresh}
    for name, delta in deltas.items():
        live.counts[name] += delta
    jobs.count(database, live.id, deltas, cursor=live.cursor, updated_at=now)
