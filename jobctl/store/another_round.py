"""Begins another round of a job: counts the chosen items and queues them again, in the caller's transaction."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import NamedTuple

from jobctl.domain.selection import Selection
from jobctl.store import failures, jobs
from jobctl.store.database import Database
from jobctl.store.sqlite import with_states

_PAGE = 5_000
_UNKNOWN = "failure IN (SELECT id FROM failures WHERE job = items.job AND outcome = 'unknown')"
_KNOWN = f"(failure IS NULL OR NOT {_UNKNOWN})"
_FAILED, _UNPROCESSED = with_states("state = {FAILED}"), with_states("state = {UNPROCESSED}")


class ItemFilter(NamedTuple):
    """Items of a job: a condition over the table, in which every value is a parameter."""

    job: int
    condition: str
    values: tuple[object, ...]

    @property
    def parameters(self) -> tuple[object, ...]:
        """The job and the values, for ``WHERE job = ? AND condition``."""
        return (self.job, *self.values)


def choose(job: int, selection: Selection, *, careful: bool, leaves_out: bool = False) -> ItemFilter:
    """The items that a selection means.

    A ``careful`` choice has no items whose effect is unknown, unless the selection asks for those. A choice that
    ``leaves_out`` has no items that ``store.left_out`` has noted on this connection.
    """
    kinds, values = [], list[object]()
    every = not selection.names_states
    if selection.failed or every:
        kinds.append(f"({_FAILED} AND {_KNOWN})" if careful else _FAILED)
    if selection.unprocessed or every:
        kinds.append(_UNPROCESSED)
    if selection.unknown:
        kinds.append(f"({_FAILED} AND {_UNKNOWN})")
    if selection.codes:
        marks = ", ".join("?" * len(selection.codes))
        by_code = f"{_FAILED} AND failure IN (SELECT id FROM failures WHERE job = items.job AND code IN ({marks}))"  # noqa: S608
        kinds.append(f"({by_code} AND {_KNOWN})" if careful else f"({by_code})")
        values.extend(selection.codes)
    condition = f"({' OR '.join(kinds)})"
    if selection.items:
        condition += " AND item IN (SELECT value FROM json_each(?))"
        values.append(json.dumps(selection.items))
    if leaves_out:
        condition += " AND item NOT IN (SELECT item FROM temp.left_out)"
    return ItemFilter(job, condition, tuple(values))


class ItemCounts(NamedTuple):
    """The numbers of chosen items, as they were counted at some revision of their job."""

    revision: int | None
    by_failure: list[tuple[int | None, int]]  # (group, failed items)
    unprocessed: int
    first: int | None

    @property
    def moves(self) -> dict[str, int]:
        """The number of items that leave each state."""
        return {"failed": sum(count for _, count in self.by_failure), "unprocessed": self.unprocessed}


def count(database: Database, choice: ItemFilter) -> ItemCounts:
    """Count the items of a choice, all at one moment."""
    chosen, parameters = f"FROM items WHERE job = ? AND {choice.condition}", choice.parameters
    with contextlib.nullcontext() if database.in_transaction else database.snapshot():
        return ItemCounts(
            jobs.revision(database, choice.job),
            database.execute(
                f"SELECT failure, count(*) {chosen} AND {_FAILED} GROUP BY failure", parameters
            ).fetchall(),
            database.scalar(f"SELECT count(*) {chosen} AND {_UNPROCESSED}", parameters),
            database.scalar(f"SELECT min(item) {chosen}", parameters),
        )


def requeue(database: Database, choice: ItemFilter, chosen: ItemCounts) -> None:
    """Queue the items of a choice again, with a fresh budget of attempts, and take them off their causes of failure."""
    if chosen.first is None:
        return
    queue = with_states("UPDATE items SET state = {QUEUED}, free = attempt, crashes = 0 WHERE job = ? AND ")
    database.execute(queue + choice.condition, choice.parameters)
    failures.subtract(database, choice.job, chosen.by_failure)
    ungrouped = sum(count for failure, count in chosen.by_failure if failure is None)
    jobs.add_counts(database, choice.job, {"failures_ungrouped": -ungrouped}, cursor=chosen.first)


def with_unknown_outcome(database: Database, choice: ItemFilter) -> int:
    """The number of chosen items that failed and may have had their effect."""
    unknown = f"SELECT count(*) FROM items INDEXED BY items_failed WHERE job = ? AND {_FAILED} AND {_UNKNOWN}"  # noqa: S608
    return int(database.scalar(f"{unknown} AND {choice.condition}", choice.parameters))


def pages(database: Database, choice: ItemFilter) -> Iterator[list[tuple[int, bytes]]]:
    """The items of a choice with their rows, in order."""
    last = 0
    sql = f"SELECT item, payload FROM items WHERE job = ? AND {choice.condition} AND item > ? ORDER BY item LIMIT ?"  # noqa: S608
    while rows := database.execute(sql, (*choice.parameters, last, _PAGE)).fetchall():
        last = rows[-1][0]
        yield rows
