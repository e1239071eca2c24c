"""Queues as people see them."""

from __future__ import annotations

from typing import Any

from jobctl.domain.durations import format_time
from jobctl.store import queues, views
from jobctl.store.database import Database
from jobctl.store.queues import QueueRow


def queue_documents(database: Database) -> list[dict[str, Any]]:
    """Every queue with limits of its own or live jobs: limits, pause, what waits and runs."""
    rows = queues.load_all(database)
    loads = views.queue_loads(database)
    documents = []
    for name in sorted({*rows, *loads, "default"}):
        row = rows.get(name, QueueRow(name))
        jobs, queued, running = loads.get(name, (0, 0, 0))
        documents.append(
            {
                "name": name,
                "slots": row.slots,
                "rate": row.rate,
                "paused_at": None if row.paused_at is None else format_time(row.paused_at),
                "pause_reason": row.pause_reason,
                "jobs": jobs,
                "queued": queued,
                "running": running,
            }
        )
    return documents
