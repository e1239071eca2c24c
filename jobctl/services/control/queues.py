"""The queues of a store with their limits and loads, as documents."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Final

from jobctl.config import Home
from jobctl.domain.durations import format_time
from jobctl.domain.nearest import did_you_mean
from jobctl.domain.slots import count_running
from jobctl.domain.texts import DEFAULT_QUEUE
from jobctl.errors import NotFound
from jobctl.store import daemon, queues
from jobctl.store.database import Database
from jobctl.store.opening.open import open_database
from jobctl.store.queues import QueueRow
from jobctl.store.views import queues as queue_views
from jobctl.store.views import running as running_views

if TYPE_CHECKING:
    from jobctl.domain.documents.queues import QueueDocument, QueuesDocument

SCHEMA: Final = "jobctl.queues/1"


def queues_document(home: Home, name: str | None = None) -> QueuesDocument:
    """``jobctl.queues/1``: every queue, or the one of that name. Raises NotFound for a home without a store."""
    with closing(open_database(home)) as database:
        found = queue_documents(database)
    return {"schema": SCHEMA, "queues": [queue for queue in found if name in (None, queue["name"])]}


def known_queues(home: Home) -> list[str]:
    """Return the names of all queues: the default one, those that were made, and those that jobs have been in."""
    try:
        database = open_database(home)
    except NotFound:
        return [DEFAULT_QUEUE]
    try:
        return list(dict.fromkeys((DEFAULT_QUEUE, *queues.names(database))))
    finally:
        database.close()


def check_queue(home: Home, name: str) -> None:
    """Raises NotFound for a queue that does not exist, because it cannot be paused or resumed."""
    known = known_queues(home)
    if name not in known:
        hint = did_you_mean(
            name, known, f"there is {', '.join(known[:10])}; jobctl queue set QUEUE NAME=VALUE makes one"
        )
        raise NotFound(f"there is no queue {name!r}", hint=hint)


def queue_documents(database: Database) -> list[QueueDocument]:
    """Return every queue that was made or has live jobs: its limits, its pause, its waiting and running items.

    An attempt that the supervisor has ahead of a free slot counts as waiting, as in every document.
    """
    rows, engine = queues.load_all(database), daemon.load(database)
    slots = engine.slots or None if engine is not None else None
    begun = _begun_by_queue(database)
    loads = queue_views.queue_loads(database)
    documents: list[QueueDocument] = []
    for name in sorted({*rows, *loads, DEFAULT_QUEUE}):
        row = rows.get(name, QueueRow(name))
        jobs, queued, in_hand = loads.get(name, (0, 0, 0))
        free = None if slots is None else slots - (begun.total() - begun[name])
        running = count_running(in_hand, begun[name], (row.slots, free))
        documents.append(
            {
                "name": name,
                "slots": row.slots,
                "rate": row.rate,
                "paused_at": None if row.paused_at is None else format_time(row.paused_at),
                "pause_reason": row.pause_reason,
                "jobs": jobs,
                "queued": queued + in_hand - running,
                "running": running,
            }
        )
    return documents


def _begun_by_queue(database: Database) -> Counter[str]:
    """Count the items that have really started, by queue."""
    begun = Counter[str]()
    started = running_views.started_by_job(database)
    for queue, job, _ in running_views.running_by_job(database):
        begun[queue] += started.get(job, 0)
    return begun
