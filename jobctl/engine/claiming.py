"""Claim: queued items to attempts, as many as can start soon, shared fairly between jobs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from jobctl.domain.ports import Dispatch
from jobctl.engine.gates import Gates
from jobctl.engine.share import Candidate, share
from jobctl.engine.work import UNKNOWN_MEAN_US, LiveJob
from jobctl.handlers.call import CallHandler
from jobctl.store import items, jobs
from jobctl.store.database import Database


class Room(NamedTuple):
    """What may be handed to the executor now."""

    capacity: int  # slots of the executor
    gates: Gates


def plan(live_jobs: Iterable[LiveJob], room: Room, now: int) -> list[tuple[LiveJob, int]]:
    """Which jobs may claim how many items, so that no slot waits and nothing is claimed long before it can start."""
    known = list(live_jobs)
    gates = room.gates
    ready = {live.id: live for live in known if live.has_ready(now) and live.is_open(now) and gates.is_open(live)}
    for live in known:
        if live.pace.is_new or (live.id not in ready and not live.in_hand):
            live.pace.rest(now)
    if not ready:
        return []
    in_queue = _in_hand_by_queue(known)
    candidates = [c for live in ready.values() if (c := _candidate(live, room, in_queue, now))]
    ahead = max((live.lookahead(live.slots(room.capacity)) for live in ready.values()), default=0)
    demand = room.capacity + ahead - sum(len(live.in_hand) for live in known)
    parts = [(ready[job], n) for job, n in share(candidates, demand)]
    return list(_within_queues(parts, room, in_queue))


def _within_queues(
    parts: Iterable[tuple[LiveJob, int]], room: Room, in_queue: dict[str, int]
) -> Iterator[tuple[LiveJob, int]]:
    """Jobs of one queue together take no more than it has room for."""
    slots = room.gates.queue_slots()
    for live, count in parts:
        limit = slots.get(live.row.queue)
        if limit is not None:
            left = limit + live.lookahead(min(limit, live.slots(room.capacity))) - in_queue[live.row.queue]
            count = min(count, max(0, left))
            in_queue[live.row.queue] += count
        if count:
            yield live, count


def _in_hand_by_queue(live_jobs: Iterable[LiveJob]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for live in live_jobs:
        counts[live.row.queue] = counts.get(live.row.queue, 0) + len(live.in_hand)
    return counts


def _candidate(live: LiveJob, room: Room, in_queue: dict[str, int], now: int) -> Candidate | None:
    slots = live.slots(room.capacity)
    wants = slots + live.lookahead(slots) - len(live.in_hand)
    queue_slots = room.gates.queue_slots().get(live.row.queue)
    if queue_slots is not None:
        slots = min(slots, queue_slots)
        wants = min(wants, queue_slots + live.lookahead(slots) - in_queue[live.row.queue])
    wants = min(wants, live.counts["queued"] + live.counts["retrying"])
    allowed = room.gates.allowed(live, now)
    if allowed is not None:
        wants = min(wants, allowed)
    if wants <= 0:
        return None
    return Candidate(live.id, live.row.priority, live.used_us, wants, live.pace.mean_us or UNKNOWN_MEAN_US)


def claim(database: Database, epoch: int, live: LiveJob, limit: int, now: int) -> list[Dispatch]:
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
        return []
    if fresh:
        live.cursor = fresh[-1][0] + 1
    _count(database, live, len(due), len(fresh), now)
    live.charge([claimed[:2] for claimed in taken])
    if isinstance(live.handler, CallHandler):
        return live.handler.dispatch_all(live.id, taken)
    return [live.handler.dispatch(live.id, *claimed) for claimed in taken]


def _count(database: Database, live: LiveJob, due: int, fresh: int, now: int) -> None:
    deltas = {"running": due + fresh, "retrying": -due, "queued": -fresh}
    for name, delta in deltas.items():
        live.counts[name] += delta
    jobs.count(database, live.id, deltas, cursor=live.cursor, updated_at=now)
