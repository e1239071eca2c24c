"""Counts attempts that failed alike in failure groups, as they settle, so a summary never reads the items."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from jobctl.store.cells import text_of
from jobctl.store.database import Database
from jobctl.store.sqlite import with_states

#: Distinct causes of a job; further ones are counted by their code alone, under the message FURTHER.
GROUP_LIMIT = 1_000
FURTHER = "further messages"
SAMPLE_LIMIT = 10


def samples_of(stored: str) -> list[int]:
    """The item numbers that are stored as examples; none if they cannot be read."""
    try:
        found = json.loads(stored)
    except (ValueError, TypeError, RecursionError):
        return []
    return [item for item in found if type(item) is int] if isinstance(found, list) else []


def example(database: Database, job: int, group: int, samples: Sequence[int]) -> str | None:
    """The full message of an attempt of a group: the last attempt of its first example."""
    if not samples:
        return None
    found = database.scalar(
        "SELECT message FROM attempts WHERE job = ? AND item = ? AND failure = ? ORDER BY attempt DESC LIMIT 1",
        (job, samples[0], group),
    )
    return found if isinstance(found, str) else None


_MESSAGES = (
    "SELECT item, message FROM attempts WHERE job = ? AND item IN (SELECT value FROM json_each(?)) AND failure = ?"
    " ORDER BY item, attempt DESC"
)


def messages(database: Database, job: int, group: int, samples: Sequence[int]) -> list[tuple[int, str]]:
    """(item, message) of these items: of the last attempt of each with this cause, as the attempt wrote it."""
    rows = database.execute(_MESSAGES, (job, json.dumps(list(samples)), group)).fetchall()
    found: dict[int, str] = {}
    for item, message in rows:
        if item not in found:
            found[item] = text_of(message)
    return list(found.items())


_FAILED_SAMPLES = with_states(
    "SELECT item FROM items WHERE job = ? AND item IN (SELECT value FROM json_each(?)) AND state = {FAILED}"
    " AND failure = ? ORDER BY item"
)


def failed_samples(database: Database, job: int, group: int, samples: Sequence[int]) -> list[int]:
    """The examples of a group that are failed because of it now, in order."""
    rows = database.execute(_FAILED_SAMPLES, (job, json.dumps(list(samples)), group))
    return [row[0] for row in rows]


_CAUSES_OF_ITEMS = with_states(
    "SELECT failure, item FROM items WHERE job = ? AND item IN (SELECT value FROM json_each(?)) AND state = {FAILED}"
    " AND failure IS NOT NULL ORDER BY item"
)


def causes_of_items(database: Database, job: int, items: Sequence[int]) -> list[tuple[int, int]]:
    """(cause, item) of those of these items that are failed now, in order."""
    return database.execute(_CAUSES_OF_ITEMS, (job, json.dumps(list(items)))).fetchall()


def counted(database: Database, job: int) -> dict[int | None, int]:
    """The number of failed items by cause; the key None has those without a cause."""
    found = database.execute("SELECT id, items FROM failures WHERE job = ?", (job,)).fetchall()
    ungrouped = database.scalar("SELECT failures_ungrouped FROM jobs WHERE id = ?", (job,))
    return {None: ungrouped, **dict(found)}


_BY_CAUSE = with_states(
    "SELECT failure, count(*) FROM items INDEXED BY items_failed WHERE job = ? AND state = {FAILED} GROUP BY failure"
)


def codes(database: Database, job: int, wanted: Sequence[str]) -> set[str]:
    """The codes among ``wanted`` for which items of a job have failed."""
    marks = ", ".join("?" * len(wanted))
    sql = f"SELECT DISTINCT code FROM failures WHERE job = ? AND items > 0 AND code IN ({marks})"  # noqa: S608
    return {code for (code,) in database.execute(sql, (job, *wanted))}


def recount(database: Database, job: int) -> dict[int | None, int]:
    """The same numbers, counted by a scan of the failed items; for verification only."""
    return dict(database.execute(_BY_CAUSE, (job,)).fetchall())


def has_cancelled(database: Database, job: int) -> bool:
    """True if items of a job are failed because a cancel ended them."""
    sql = "SELECT 1 FROM failures WHERE job = ? AND code = 'cancelled' AND items > 0"
    return database.scalar(sql, (job,)) is not None


def subtract(database: Database, job: int, moved: Sequence[tuple[int | None, int]]) -> None:
    """Subtract, for each (group, count), the items that were queued again, and choose examples among the rest."""
    counts = {number: count for number, count in moved if number is not None}
    database.executemany("UPDATE failures SET items = items - ? WHERE id = ?", [(n, g) for g, n in counts.items()])
    samples = {number: _still_failed(database, job, number) for number in counts}
    _find_others(database, job, {number: found for number, found in samples.items() if found == []})
    rows = [(json.dumps(found or []), number) for number, found in samples.items()]
    database.executemany("UPDATE failures SET samples = ? WHERE id = ?", rows)


def _still_failed(database: Database, job: int, group: int) -> list[int] | None:
    """The examples of a group that are still failed; None if none of its items is."""
    items, samples = database.one("SELECT items, samples FROM failures WHERE id = ?", (group,))
    return failed_samples(database, job, group, samples_of(samples)) if items else None


def _find_others(database: Database, job: int, samples: Mapping[int, list[int]]) -> None:
    """Find examples for groups that have lost all of theirs, in one pass that ends when each group has one."""
    missing = set(samples)
    sql = "SELECT item, failure FROM items INDEXED BY items_failed WHERE job = ? AND state = {FAILED} ORDER BY item"
    rows = database.execute(with_states(sql), (job,))
    while missing and (row := rows.fetchone()) is not None:
        item, failure = row
        if failure in samples and len(samples[failure]) < SAMPLE_LIMIT:
            samples[failure].append(item)
            missing.discard(failure)
