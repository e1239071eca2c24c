"""Finds the rows that a further round leaves out: those with a key that another job of the name has or has done."""

from __future__ import annotations

from jobctl.store import another_round, done
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow
from jobctl.store.selected import ItemFilter
from jobctl.store.taken import Taken


def leave_out(database: Database, row: JobRow, choice: ItemFilter) -> int:
    """Note the items of a choice that stay out, in the caller's transaction. Returns their number."""
    database.execute("DROP TABLE IF EXISTS temp.left_out")
    database.execute("CREATE TEMP TABLE left_out (item INTEGER PRIMARY KEY)")
    taken = Taken(database, row.name, excluded=row.id)
    taken.scan()
    hasher = done.row_hasher(row)
    # A job that may repeat finished rows leaves out only those that a later job has done.
    later_than = 0 if row.policy.only_new else row.id
    for page in another_round.pages(database, choice):
        hashes = [hasher.row_hash(payload) for _, payload in page]
        contents = [hasher.content_hash(payload) for _, payload in page]
        finished = done.finished(database, hashes, contents, None, later_than)
        found = zip(page, finished, taken.look_up(hashes), strict=True)
        out = [(item,) for (item, _), is_done, others in found if is_done or others]
        database.executemany("INSERT INTO temp.left_out VALUES (?)", out)
    taken.close()
    return int(database.scalar("SELECT count(*) FROM temp.left_out"))
