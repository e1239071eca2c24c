"""Begins another round of a job: counts the chosen items and queues them again, in the caller's transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

from jobctl.domain.selection import Selection
from jobctl.domain.states import ItemState
from jobctl.store import failures, jobs, selected, undone
from jobctl.store.database import Database
from jobctl.store.selected import ItemFilter
from jobctl.store.sqlite import with_states

_PAGE = 5_000
_UNKNOWN = "failure IN (SELECT id FROM failures WHERE job = items.job AND outcome = 'unknown')"
_KNOWN = f"(failure IS NULL OR NOT {_UNKNOWN})"
_FAILED, _UNPROCESSED = with_states("state = {FAILED}"), with_states("state = {UNPROCESSED}")
_SUCCEEDED = with_states("state = {SUCCEEDED}")
#: The states of items that another round can have.
STATES = (ItemState.FAILED, ItemState.UNPROCESSED)


def choose(
    database: Database, job: int, selection: Selection, *, careful: bool, leaves_out: bool = False
) -> ItemFilter:
    """The items that a selection means. Those that a condition or numbers choose must be in ``temp.chosen``.

    A ``careful`` choice has no items whose effect is unknown, unless the selection asks for those. A choice that
    ``leaves_out`` has no items that ``store.left_out`` has noted on this connection.
    """
    groups = selected.groups_of(database, job, selection.causes) if selection.causes else []
    kinds = () if selection.undone and not selection.names_kinds else selection.kinds(STATES)
    condition, values = selected.any_of(selected.condition(kind, groups) for kind in kinds if kind.state in STATES)
    held, held_values = undone.not_held(database, job)
    if held:
        condition, values = f"({condition} AND {held})", (*values, *held_values)
    if selection.undone:
        condition = f"({condition} OR {undone.TAKEN_BACK})"
    if careful:
        condition += f" AND ({_UNPROCESSED} OR {_KNOWN})"
    if selection.needs_reading:
        condition += f" AND {selected.CHOSEN}"
    if leaves_out:
        condition += " AND item NOT IN (SELECT item FROM temp.left_out)"
    return ItemFilter(job, condition, values, selection.undone)


class ItemCounts(NamedTuple):
    """The numbers of chosen items, as they were counted at some revision of their job."""

    revision: int | None
    by_failure: list[tuple[int | None, int]]  # (group, failed items)
    unprocessed: int
    first: int | None
    succeeded: int = 0  # rows that were taken back

    @property
    def moves(self) -> dict[str, int]:
        """The number of items that leave each state."""
        failed = sum(count for _, count in self.by_failure)
        return {"failed": failed, "unprocessed": self.unprocessed, "succeeded": self.succeeded}


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
            database.scalar(f"SELECT count(*) {chosen} AND {_SUCCEEDED}", parameters) if choice.undone else 0,
        )


def requeue(database: Database, choice: ItemFilter, chosen: ItemCounts) -> None:
    """Queue the items of a choice again, with a fresh budget of attempts, and take them off their causes of failure."""
    if chosen.first is None:
        return
    queue = with_states("UPDATE items SET state = {QUEUED}, free = attempt, crashes = 0 WHERE job = ? AND ")
    database.execute(queue + choice.condition, choice.parameters)
    if choice.undone:
        undone.release(database, choice.job)
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
