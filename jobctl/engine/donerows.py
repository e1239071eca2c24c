"""At the end of a round: which named rows are done now, for ``--only-new`` of later jobs."""

from __future__ import annotations

from itertools import islice

from jobctl.domain.states import ItemState
from jobctl.engine.itemrows import ItemRow, item_rows
from jobctl.store import done
from jobctl.store.database import Database
from jobctl.store.jobs import JobRow

#: Rows in one transaction: short enough that nobody waits for it.
CHUNK = 2_000


def record_done_rows(database: Database, row: JobRow, now: int) -> None:
    """Note the rows of a job that succeeded, and forget those that failed. Nothing for a job without row keys."""
    if row.item_key is None:
        return
    reader = done.row_reader(row)
    rows = item_rows(database, row.id)
    while chunk := list(islice(rows, CHUNK)):
        with database.transaction():
            succeeded = [r for r in chunk if r.state == ItemState.SUCCEEDED]
            done.add(database, [(reader.row(r.payload), reader.held(r.payload)) for r in succeeded], row.id, now)
            done.remove(database, [reader.row(r.payload) for r in chunk if _failed(r)])


def _failed(row: ItemRow) -> bool:
    return row.state == ItemState.FAILED
