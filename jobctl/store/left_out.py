"""Another round of a job whose rows have keys: rows that another job of its name has, or has done since, stay out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jobctl.store import done
from jobctl.store.database import Database
from jobctl.store.jobs import JobRow
from jobctl.store.taken import Taken

_PAGE = 5_000
#: Added to a condition over items: those that stay out.
NOT_ELSEWHERE = " AND item NOT IN (SELECT item FROM temp.elsewhere)"


def leave_out(database: Database, row: JobRow, condition: str, parameters: Sequence[object]) -> int:
    """Write down which of the items that a condition means stay out; returns how many. In the caller's transaction."""
    database.execute("DROP TABLE IF EXISTS temp.elsewhere")
    database.execute("CREATE TEMP TABLE elsewhere (item INTEGER PRIMARY KEY)")
    taken = Taken(database, row.name, besides=row.id)
    taken.scan()
    reader = done.row_reader(row)
    # Of a job that may repeat what is done, only what a later job did counts.
    later_than = 0 if row.policy.only_new else row.id
    for page in _pages(database, row.id, condition, parameters):
        hashes = [reader.row(payload) for _, payload in page]
        contents = [reader.held(payload) for _, payload in page]
        finished = done.finished(database, hashes, contents, None, later_than)
        found = zip(page, finished, taken.look_up(hashes), strict=True)
        out = [(item,) for (item, _), is_done, others in found if is_done or others]
        database.executemany("INSERT INTO temp.elsewhere VALUES (?)", out)
    taken.close()
    return int(database.scalar("SELECT count(*) FROM temp.elsewhere"))


def _pages(
    database: Database, job: int, condition: str, parameters: Sequence[object]
) -> Iterator[list[tuple[int, bytes]]]:
    sql = f"SELECT item, payload FROM items WHERE job = ? AND {condition} AND item > ? ORDER BY item LIMIT ?"  # noqa: S608
    last = 0
    while rows := database.execute(sql, (job, *parameters, last, _PAGE)).fetchall():
        last = rows[-1][0]
        yield rows
