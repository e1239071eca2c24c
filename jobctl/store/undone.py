"""The rows of a job that undo jobs have taken, and the choice of the rows for another one.

A row is in one undo job at most: the primary key of ``undone`` says so. While an undo job is being written, its rows
are in ``undone`` under the number of the undo job itself, so that nobody takes them for real and ``prune`` removes
what a killed process leaves. ``accept`` gives them to the other job in the transaction that makes the undo job.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from jobctl.domain.outcome import UNKNOWN_ENDINGS
from jobctl.store import jobs
from jobctl.store.database import Database
from jobctl.store.sqlite import with_states
from jobctl.store.views import jobs as job_views
from jobctl.store.views.undo import has_any

_UNKNOWN = f"(a.ending IS NULL OR a.ending IN ({', '.join(str(int(ending)) for ending in sorted(UNKNOWN_ENDINGS))}))"
_SUCCEEDED = with_states("i.state = {SUCCEEDED}")
#: Over the items ``i`` and their last attempts ``a``: a failure whose effect is not known.
_IN_DOUBT = with_states("(i.state = {FAILED} AND ") + f"{_UNKNOWN})"
_ITEMS = "FROM items i LEFT JOIN attempts a ON a.job = i.job AND a.item = i.item AND a.attempt = i.attempt"
#: An undo that failed or never ran, in a job that is done: another undo job may take its row.
_FREE = with_states(
    "(j.finished_at IS NOT NULL AND t.state IN ({FAILED}, {UNPROCESSED}) AND (? OR t.failure IS NULL"
    " OR t.failure NOT IN (SELECT id FROM failures WHERE job = t.job AND outcome = 'unknown')))"
)
_TAKEN = (
    "FROM undone u JOIN jobs j ON j.id = u.undo_job JOIN items t ON t.job = u.undo_job AND t.item = u.undo_item"
    " WHERE u.job = i.job AND u.item = i.item"
)


class UndoChoice(NamedTuple):
    """The conditions for the rows of an undo job."""

    job: int
    unknown: bool = False  # also rows with an outcome that is not known
    again: bool = True  # also rows whose undo failed with an outcome that is not known
    chosen: bool = False  # only those in the table ``temp.chosen``, see ``store.selected``

    def condition(self) -> str:
        """A condition over the items ``i`` of the job and their last attempts ``a``."""
        return self._of(f"({_SUCCEEDED} OR {_IN_DOUBT})" if self.unknown else _SUCCEEDED)

    def in_doubt(self) -> str:
        """The same for the rows whose outcome is not known."""
        return self._of(_IN_DOUBT)

    def _of(self, state: str) -> str:
        chosen = " AND (i.job, i.item) IN (SELECT job, item FROM temp.chosen)" if self.chosen else ""
        return f"i.job = ? AND {state}{chosen}"


class UndoCounts(NamedTuple):
    """The numbers of rows that an undo job takes, and of those that it leaves out."""

    taken: int
    in_doubt: int  # rows whose outcome is not known
    undone: int  # rows that were taken back already
    failed: int  # rows whose undo failed with an outcome that is not known
    running: dict[int, int]  # rows that live undo jobs have, by undo job


def choose(database: Database, choice: UndoChoice) -> UndoCounts:
    """Note the rows of a choice in a temporary table of this connection, the newest success first."""
    database.execute("DROP TABLE IF EXISTS temp.undo_order")
    database.execute("CREATE TEMP TABLE undo_order (place INTEGER PRIMARY KEY, item INTEGER NOT NULL)")
    condition, job = choice.condition(), choice.job
    is_held = has_any(database, job)
    left_out = f" AND NOT EXISTS (SELECT 1 {_TAKEN} AND NOT {_FREE})" if is_held else ""
    taken = database.execute(
        f"INSERT INTO temp.undo_order (item) SELECT i.item {_ITEMS} WHERE {condition}{left_out}"
        " ORDER BY CAST(a.started_at AS INTEGER) + CAST(a.duration_us AS INTEGER) DESC, i.item DESC",
        (job, int(choice.again)) if is_held else (job,),
    ).rowcount
    doubt = 0
    if not choice.unknown:
        doubt = int(database.scalar(f"SELECT count(*) {_ITEMS} WHERE {choice.in_doubt()}", (job,)))
    return UndoCounts(taken, doubt, *(_already(database, condition, job) if is_held else (0, 0, {})))


def _already(database: Database, condition: str, job: int) -> tuple[int, int, dict[int, int]]:
    """Rows of a choice that undo jobs have: undone, not undone by an undo job that is done, and by live undo jobs."""
    rows = database.execute(
        with_states("SELECT u.undo_job, j.finished_at IS NULL, t.state = {SUCCEEDED}, count(*) ")
        + f"{_ITEMS} JOIN undone u ON u.job = i.job AND u.item = i.item JOIN jobs j ON j.id = u.undo_job"
        f" JOIN items t ON t.job = u.undo_job AND t.item = u.undo_item WHERE {condition} GROUP BY 1, 2, 3",
        (job,),
    ).fetchall()
    undone = sum(count for _, _, is_done, count in rows if is_done)
    failed = sum(count for _, is_live, is_done, count in rows if not is_live and not is_done)
    running: dict[int, int] = {}
    for undo_job, is_live, is_done, count in rows:
        if is_live and not is_done:
            running[undo_job] = running.get(undo_job, 0) + count
    return undone, failed, running


class ChosenRow(NamedTuple):
    """A row to take back, as it succeeded."""

    place: int
    item: int
    attempt: int
    state: int
    payload: bytes
    value: str | None
    log: int
    out_off: int
    out_len: int


_PAGE = (
    "SELECT o.place, i.item, i.attempt, i.state, CAST(i.payload AS BLOB), CAST(a.value AS TEXT),"
    " coalesce(CAST(a.log AS INTEGER), 0), coalesce(CAST(a.out_off AS INTEGER), 0),"
    " coalesce(CAST(a.out_len AS INTEGER), 0) FROM temp.undo_order o JOIN items i ON i.job = ? AND i.item = o.item"
    " LEFT JOIN attempts a ON a.job = i.job AND a.item = i.item AND a.attempt = i.attempt"
    " WHERE o.place > ? ORDER BY o.place LIMIT ?"
)


def chosen_rows(database: Database, job: int, after: int, limit: int) -> list[ChosenRow]:
    """The next rows that ``choose`` has noted, after a place."""
    return list(map(ChosenRow._make, database.execute(_PAGE, (job, after, limit)).fetchall()))


def forget_choice(database: Database) -> None:
    """Drop the table of ``choose``."""
    database.execute("DROP TABLE IF EXISTS temp.undo_order")


def note(database: Database, undo_job: int, rows: Sequence[tuple[int, int]]) -> None:
    """Note (item, item of the undo job) of an undo job that is not accepted yet."""
    database.executemany(
        "INSERT INTO undone (job, item, undo_job, undo_item) VALUES (?, ?, ?, ?)",
        [(undo_job, item, undo_job, undo_item) for item, undo_item in rows],
    )


class RowsChanged(Exception):
    """Another command has changed the rows since they were chosen."""


def accept(database: Database, undo_job: int, job: int, items: int) -> None:
    """Give the noted rows to the job, in the transaction that makes the undo job; ``items`` is their number.

    The caller has made sure that no other round of the job has begun since. Raises RowsChanged.
    """
    if database.scalar("SELECT count(*) FROM undone WHERE job = ?", (undo_job,)) != items:
        raise RowsChanged  # ``prune`` has taken them for what a killed process has left
    if has_any(database, job):
        _retake(database, undo_job, job)
    # In the order of the key, a million rows take a second.
    database.execute(
        "INSERT INTO undone (job, item, undo_job, undo_item)"
        " SELECT ?, item, undo_job, undo_item FROM undone WHERE job = ? ORDER BY item",
        (job, undo_job),
    )
    database.execute("DELETE FROM undone WHERE job = ?", (undo_job,))


def _retake(database: Database, undo_job: int, job: int) -> None:
    """Take rows from earlier undo jobs, whose undo failed."""
    before = database.execute(
        with_states(
            "SELECT u.undo_job, sum(j.finished_at IS NULL OR t.state NOT IN ({FAILED}, {UNPROCESSED})), count(*)"
            " FROM undone n JOIN undone u ON u.job = ? AND u.item = n.item JOIN jobs j ON j.id = u.undo_job"
            " JOIN items t ON t.job = u.undo_job AND t.item = u.undo_item WHERE n.job = ? GROUP BY 1"
        ),
        (job, undo_job),
    ).fetchall()
    if any(kept for _, kept, _ in before):
        raise RowsChanged
    for other, _, count in before:
        jobs.add_counts(database, other, {"undo_retaken": count})
    database.execute(
        "DELETE FROM undone WHERE job = ? AND item IN (SELECT item FROM undone WHERE job = ?)", (job, undo_job)
    )


def inherit(database: Database, undo_job: int, job: int) -> None:
    """Give an undo job the labels and the receivers of notifications of the job that it takes back."""
    database.execute("UPDATE jobs SET labels = (SELECT labels FROM jobs WHERE id = ?) WHERE id = ?", (job, undo_job))
    database.execute(
        "INSERT INTO targets (job, kind, target, secret_env, secret_file, allow_http, disabled_at)"
        " SELECT ?, kind, target, secret_env, secret_file, allow_http, disabled_at FROM targets WHERE job = ?"
        " ORDER BY id",
        (undo_job, job),
    )


def is_under_way(database: Database, job: int) -> bool:
    """True if an undo job of a job is not done."""
    sql = "SELECT 1 FROM jobs WHERE undo_of = ? AND finished_at IS NULL LIMIT 1"
    return database.scalar(sql, (job,)) is not None


def record_file(database: Database, job: int, file: dict[str, Any] | None) -> None:
    """Note the file of the rows that were taken back with the results of a job, in the caller's transaction.

    A job without results runs again, and notes the file itself at the end of its round.
    """
    stored = job_views.results(database, job)
    if stored:
        jobs.update(database, job, results=json.dumps(stored | {"undone": file}))


def begun_by(database: Database, job: int, at: int) -> int | None:
    """The undo job that a job has begun by itself at a time (microseconds), the moment of its end."""
    found = database.scalar("SELECT max(id) FROM jobs WHERE undo_of = ? AND submitted_at = ?", (job, at))
    return None if found is None else int(found)


def undo_jobs(database: Database, job: int) -> list[int]:
    """The undo jobs of a job, oldest first."""
    return [row[0] for row in database.execute("SELECT id FROM jobs WHERE undo_of = ? ORDER BY id", (job,))]


#: Over ``items``: a row that was taken back, and one that any undo job has.
_UNDONE = with_states(
    "(items.job, items.item) IN (SELECT u.job, u.item FROM undone u JOIN items t ON t.job = u.undo_job"
    " AND t.item = u.undo_item AND t.state = {SUCCEEDED} WHERE u.job = items.job)"
)
_HELD = "(items.job, items.item) IN (SELECT u.job, u.item FROM undone u WHERE u.job = items.job)"
#: Over the items of an undo job: it still has the row, which no later undo job has and which does not run again.
_STILL_THERE = "items.item IN (SELECT undo_item FROM undone WHERE job = ? AND undo_job = items.job)"
#: The items that were taken back, as rows of another round.
TAKEN_BACK = with_states("(items.state IN ({SUCCEEDED}, {FAILED}) AND ") + f"{_UNDONE})"


def not_held(database: Database, job: int) -> tuple[str, tuple[object, ...]]:
    """A condition over ``items`` that leaves out what must not run in another round, and its values; '' = nothing.

    That are rows that an undo job has, and items of an undo job that has lost their rows.
    """
    found = database.one("SELECT undo_of, undo_retaken + undo_released FROM jobs WHERE id = ?", (job,))
    if found is not None and found[0] is not None:
        return (_STILL_THERE, (found[0],)) if found[1] else ("", ())
    return (f"NOT {_HELD}" if has_any(database, job) else "", ())


def release(database: Database, job: int) -> None:
    """Forget that rows were taken back that are queued again, so that a later undo job can take them.

    Call it in the transaction that queues them.
    """
    condition = with_states("job = ? AND item IN (SELECT item FROM items WHERE job = ? AND state = {QUEUED})")
    rows = database.execute(f"SELECT undo_job, count(*) FROM undone WHERE {condition} GROUP BY undo_job", (job, job))  # noqa: S608
    for undo_job, count in rows.fetchall():
        jobs.add_counts(database, undo_job, {"undo_released": count})
    database.execute(f"DELETE FROM undone WHERE {condition}", (job, job))  # noqa: S608
