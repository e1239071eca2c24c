"""Reads attempts as bars over time: a bounded number of them, whatever the number of attempts is."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from jobctl.store.cells import checked_cells
from jobctl.store.database import Database

#: Attempts to show of a job; at most twice this number is read.
LIMIT = 2_000


class Bar(NamedTuple):
    """One attempt; ``ending`` None = it runs. Times in microseconds."""

    round: int
    item: int
    attempt: int
    slot: int
    started_at: int
    duration_us: int | None
    ending: int | None
    code: int


class Timeline(NamedTuple):
    """Attempts of the round to which most of the sample belongs, and which items were read."""

    bars: list[Bar]
    round: int
    each: int  # 1 = every item, 10 = every tenth


def timeline(database: Database, job: int, attempts: int, limit: int = LIMIT) -> Timeline:
    """About ``limit`` attempts, of evenly spread items of a job that had ``attempts`` in all."""
    last = int(database.scalar("SELECT max(item) FROM attempts WHERE job = ?", (job,)) or 0)
    each = max(1, -(-max(last, attempts) // limit))
    # Every lookup goes through the primary key, so a job of ten million items costs as much as one of thousands.
    rows = database.execute(
        "WITH RECURSIVE sample(n) AS (SELECT 1 UNION ALL SELECT n + ?1 FROM sample WHERE n + ?1 <= ?2)"
        " SELECT round, item, attempt, slot, started_at, duration_us, ending, code"
        " FROM sample CROSS JOIN attempts WHERE job = ?3 AND item = n ORDER BY n, attempt LIMIT ?4",
        (each, last, job, 2 * limit),
    )
    bars = [Bar._make(checked_cells(Bar, row)) for row in rows]
    rounds = Counter(bar.round for bar in bars).most_common(1)
    chosen = rounds[0][0] if rounds else 1
    return Timeline([bar for bar in bars if bar.round == chosen], chosen, each)
