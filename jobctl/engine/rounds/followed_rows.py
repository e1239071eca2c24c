"""Decides about rows that were open in other jobs of the same name, when those jobs have ended.

Until then these rows are not items. A row that has succeeded there is counted as skipped; any other row becomes an item
and runs here. If this job stops first, they become unprocessed items, so the result files have every row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jobctl.domain.state_numbers import UNPROCESSED
from jobctl.domain.wording import plural
from jobctl.engine.jobs.live_job import LiveJob
from jobctl.store import done, followed, items, journal, outcomes
from jobctl.store.database import Database
from jobctl.store.outcomes import Section

#: Rows in one transaction, which is short enough that no command waits for it.
CHUNK = 2_000


def is_due(live: LiveJob) -> bool:
    """True if rows can be decided now."""
    return live.has_followed and not live.closing and (live.stop is not None or not live.follows)


def decide(database: Database, live: LiveJob, now: int) -> dict[str, int]:
    """Decide the next rows, in the caller's transaction. Returns the changes of the counters."""
    rows = followed.head(database, live.id, CHUNK)
    if not rows:
        live.has_followed = False
        return {}
    payloads = [payload for _, payload in rows]
    is_stopped = live.stop is not None
    remaining = payloads if is_stopped else _not_done(database, live, payloads, now)
    first = live.row.total + 1
    items.enqueue(database, live.id, first, remaining)
    if is_stopped:
        dropped = items.drop_queued(database, live.id, first, live.row.total + len(remaining))
        outcomes.record(database, live.id, now, [Section(UNPROCESSED, dropped, 0)])
    followed.drop(database, live.id, rows[-1][0])
    skipped = len(payloads) - len(remaining)
    counts = replace(live.row.counts, skipped=live.row.counts.skipped + skipped)
    live.row = replace(live.row, total=live.row.total + len(remaining), counts=counts)
    live.cursor = min(live.cursor, first)
    if len(rows) < CHUNK:
        live.has_followed = False
    if not is_stopped:
        reason = f"{plural(len(remaining), 'row')} of other jobs run here, {skipped} succeeded there"
        journal.note(database, live.id, "followed", at=now, actor="engine", reason=reason, round=live.row.round)
    return {"total": len(remaining), "unprocessed" if is_stopped else "queued": len(remaining), "skipped": skipped}


def _not_done(database: Database, live: LiveJob, payloads: Sequence[bytes], now: int) -> list[bytes]:
    hasher = done.row_hasher(live.row)
    hashes = [hasher.row_hash(payload) for payload in payloads]
    finished = done.finished(database, hashes, [hasher.content_hash(payload) for payload in payloads], now)
    return [payload for payload, is_done in zip(payloads, finished, strict=True) if not is_done]
