"""Keeps rows of a job that another job of its name has. They become items only if that job ends without their success.

No function here begins or ends a transaction or changes the counters of the job. The caller does both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jobctl.store.database import Database

#: The condition in the column ``after`` for another job that has rows of this one.
CONDITION = "rows"
_PAGE = 5_000


def hold(database: Database, job: int, first: int, rows: Sequence[tuple[int, bytes]]) -> None:
    """Append rows, numbered from ``first``, each with the job that has it."""
    database.executemany(
        "INSERT INTO followed (job, number, other, payload) VALUES (?, ?, ?, ?)",
        [(job, number, other, payload) for number, (other, payload) in enumerate(rows, first)],
    )


def hold_items(database: Database, job: int, first: int, other: int) -> None:
    """Turn all items of a job that is not accepted yet into rows that wait for ``other``."""
    database.execute(
        "INSERT INTO followed (job, number, other, payload) SELECT job, item + ?, ?, payload FROM items WHERE job = ?",
        (first - 1, other, job),
    )
    database.execute("DELETE FROM items WHERE job = ?", (job,))


def head(database: Database, job: int, limit: int) -> list[tuple[int, bytes]]:
    """The first rows of a job that wait: (number, payload)."""
    return database.execute(
        "SELECT number, payload FROM followed WHERE job = ? ORDER BY number LIMIT ?", (job, limit)
    ).fetchall()


def drop(database: Database, job: int, last: int) -> None:
    """Remove the rows up to number ``last``: they are items now, or skipped."""
    database.execute("DELETE FROM followed WHERE job = ? AND number <= ?", (job, last))


def has_any(database: Database, job: int) -> bool:
    """True if rows of a job wait for another one."""
    return database.scalar("SELECT 1 FROM followed WHERE job = ? LIMIT 1", (job,)) is not None


def counts(database: Database, job: int) -> dict[int, int]:
    """The number of rows of a job that wait, by the job that has them."""
    sql = "SELECT other, count(*) FROM followed WHERE job = ? GROUP BY other ORDER BY other"
    return dict(database.execute(sql, (job,)).fetchall())


def pages(database: Database, job: int) -> Iterator[list[bytes]]:
    """The rows of a job that wait, in pages so that no read transaction stays open."""
    last = 0
    sql = "SELECT number, payload FROM followed WHERE job = ? AND number > ? ORDER BY number LIMIT ?"
    while rows := database.execute(sql, (job, last, _PAGE)).fetchall():
        last = rows[-1][0]
        yield [payload for _, payload in rows]
