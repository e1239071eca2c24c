"""Records the rows with a key that are done at the end of a round, for ``--only-new`` of later jobs."""

from __future__ import annotations

from jobctl.domain.states import ItemState
from jobctl.store import done
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow

#: Rows in one transaction, which is short enough that no command waits for it.
CHUNK = 2_000


def record_done_rows(database: Database, row: JobRow, now: int) -> None:
    """Note the rows of a job that succeeded in this round, and forget those that failed in it.

    A row that ended in an earlier round was noted then, and another job may have run it since: the later job counts.
    It does nothing for a job without keys of rows.
    """
    if row.item_key is None:
        return
    hasher = done.row_hasher(row)
    last = 0
    while chunk := done.ended(database, row.id, row.round, last, CHUNK):
        last = chunk[-1].item
        succeeded = [ended.payload for ended in chunk if ended.state == ItemState.SUCCEEDED]
        failed = [ended.payload for ended in chunk if ended.state == ItemState.FAILED]
        with database.transaction():
            done.add(
                database,
                [(hasher.row_hash(payload), hasher.content_hash(payload)) for payload in succeeded],
                row.id,
                now,
            )
            done.remove(database, [hasher.row_hash(payload) for payload in failed])
