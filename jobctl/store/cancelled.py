"""The items that a command asked to cancel together: sets of items of a job, of any size, each with a number.

A command writes a set in many short transactions, and then, in one transaction, the request to the engine and the line
of the journal that has the actor and the reason. A set without that line was never asked for: nobody reads it. The sets
stay until the job is removed, because they tell of an item why it did not run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from jobctl.domain.states import ItemState
from jobctl.store import journal
from jobctl.store.database import Database
from jobctl.store.sqlite import with_states

#: A condition over ``items`` for the items of a set with numbers from one to another: it takes four values.
IN_SET = "item IN (SELECT item FROM cancelled WHERE job = ? AND item BETWEEN ? AND ? AND batch = ?)"


def new_set() -> int:
    """The number of a new set."""
    return int.from_bytes(os.urandom(6))


def add(database: Database, job: int, batch: int, items: Sequence[int]) -> None:
    """Put items into a set, in the caller's transaction."""
    database.executemany(
        "INSERT OR IGNORE INTO cancelled (job, item, batch) VALUES (?, ?, ?)", [(job, item, batch) for item in items]
    )


def last_of_page(database: Database, job: int, batch: int, after: int, limit: int) -> int | None:
    """The last one of the next ``limit`` items of a set above number ``after``; None if there are none."""
    sql = "SELECT item FROM cancelled WHERE job = ? AND item > ? AND batch = ? ORDER BY item LIMIT ?"
    return database.scalar(f"SELECT max(item) FROM ({sql})", (job, after, batch, limit))  # type: ignore[no-any-return]  # noqa: S608 - text of this module


def among(database: Database, job: int, batch: int, items: Sequence[int]) -> set[int]:
    """Those of these items that are in a set."""
    sql = "SELECT item FROM cancelled WHERE job = ? AND item IN (SELECT value FROM json_each(?)) AND batch = ?"
    return {row[0] for row in database.execute(sql, (job, json.dumps(list(items)), batch))}


def states(database: Database, job: int, batch: int) -> dict[ItemState, int]:
    """The number of items of a set in each state."""
    sql = (
        "SELECT i.state, count(*) FROM cancelled c JOIN items i ON i.job = c.job AND i.item = c.item"
        " WHERE c.job = ? AND c.batch = ? GROUP BY i.state"
    )
    found = dict(database.execute(sql, (job, batch)).fetchall())
    return {state: found[state] for state in ItemState if state in found}


_LIVE = with_states(
    "SELECT 1 FROM cancelled c JOIN items i ON i.job = c.job AND i.item = c.item"
    " WHERE c.job = ? AND c.batch = ? AND i.state IN ({QUEUED}, {RUNNING}, {RETRYING}) LIMIT 1"
)


def has_live(database: Database, job: int, batch: int) -> bool:
    """True if an item of a set is not terminal."""
    return database.scalar(_LIVE, (job, batch)) is not None


class Reasons:
    """The reasons for which items of a job were cancelled since a time: one by one, and in sets."""

    def __init__(self, database: Database, job: int, since: int) -> None:
        """``since`` in microseconds."""
        self._database = database
        self._job = job
        self._single = journal.cancelled_items(database, job, since)
        self._sets = journal.cancelled_sets(database, job, since)

    def of(self, item: int) -> str | None:
        """The reason of the last request to cancel an item; None if there was none."""
        found = self._single.get(item)
        if found is not None or not self._sets:
            return found
        sql = "SELECT batch FROM cancelled WHERE job = ? AND item = ?"
        batches = [row[0] for row in self._database.execute(sql, (self._job, item))]
        return next((reason for batch, reason in reversed(self._sets.items()) if batch in batches), None)
