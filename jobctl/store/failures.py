"""Failure groups: like causes counted as they settle, so that a summary costs the same for ten and ten million."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jobctl.store.database import Database
from jobctl.store.sound import sound

#: Distinct causes kept per job; what comes after is counted by its code alone, under this message.
GROUP_LIMIT = 1_000
FURTHER = "further messages"
SAMPLE_LIMIT = 10


@dataclass(slots=True)
class Group:
    """One cause of failure in a job."""

    id: int
    code: str
    message: str
    outcome: str
    items: int = 0
    attempts: int = 0
    failed: list[int] = field(default_factory=list)  # examples of items that failed of it
    tried: list[int] = field(default_factory=list)  # examples of items that met it, and may have succeeded since

    def add_attempt(self, item: int) -> None:
        """An attempt of an item ended so."""
        self.attempts += 1
        if len(self.tried) < SAMPLE_LIMIT and item not in self.tried:
            self.tried.append(item)

    def add_item(self, item: int) -> None:
        """An item failed because of it."""
        self.items += 1
        if len(self.failed) < SAMPLE_LIMIT and item not in self.failed:
            self.failed.append(item)

    @property
    def samples(self) -> list[int]:
        """Items as examples, those that failed first."""
        return [*self.failed, *(item for item in self.tried if item not in self.failed)][:SAMPLE_LIMIT]


def samples_of(stored: str) -> list[int]:
    """Items as examples, as they are stored; none if that cannot be read."""
    try:
        found = json.loads(stored)
    except (ValueError, TypeError, RecursionError):
        return []
    return [item for item in found if type(item) is int] if isinstance(found, list) else []


class Groups:
    """The failure groups of one job, cached; the only writer of them is the engine that holds this."""

    def __init__(self, database: Database, job: int) -> None:
        self._database = database
        self._job = job
        rows = database.execute(
            "SELECT id, code, message, outcome, items, attempts, samples FROM failures WHERE job = ?", (job,)
        ).fetchall()
        groups = []
        for *row, stored in rows:
            group = Group(*sound(Group, row))
            group.tried = samples_of(stored)
            group.failed = failed_samples(database, job, group.id, group.tried) if group.items else []
            groups.append(group)
        self._by_cause = {(g.code, g.message, g.outcome): g for g in groups}
        self._by_id = {g.id: g for g in groups}

    def find(self, code: str, message: str, outcome: str, *, retryable: bool, now: int) -> Group:
        """The group of a cause, made if new; in a job with too many different ones, that of its code."""
        cause = (code, message, outcome)
        if cause not in self._by_cause and len(self._by_cause) >= GROUP_LIMIT:
            cause = (code, FURTHER if retryable else f"{FURTHER}, not retryable", outcome)
        return self._by_cause.get(cause) or self._make(cause, retryable=retryable, now=now)

    def _make(self, cause: tuple[str, str, str], *, retryable: bool, now: int) -> Group:
        cursor = self._database.execute(
            "INSERT INTO failures"
            " (job, code, message, outcome, retryable, items, attempts, first_at, last_at, samples)"
            " VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, '[]')",
            (self._job, *cause, int(retryable), now, now),
        )
        group = Group(int(cursor.lastrowid or 0), *cause)
        self._by_cause[cause] = self._by_id[group.id] = group
        return group

    def get(self, number: int | None) -> Group | None:
        """A group by its number."""
        return None if number is None else self._by_id.get(number)

    def save(self, changed: set[int], now: int) -> None:
        """Write the groups with these numbers."""
        self._database.executemany(
            "UPDATE failures SET items = ?, attempts = ?, last_at = ?, samples = ? WHERE id = ?",
            [(g.items, g.attempts, now, json.dumps(g.samples), g.id) for g in map(self._by_id.__getitem__, changed)],
        )


def failed_samples(database: Database, job: int, group: int, samples: Sequence[int]) -> list[int]:
    """Those of a group's examples that have failed of it and have had no other outcome since, in order."""
    rows = database.execute(
        "SELECT item FROM items WHERE job = ? AND item IN (SELECT value FROM json_each(?)) AND state = 4"
        " AND failure = ? ORDER BY item",
        (job, json.dumps(list(samples)), group),
    )
    return [row[0] for row in rows]


def take_away(database: Database, job: int, moved: Sequence[tuple[int | None, int]]) -> None:
    """From each (group, count) so many items went back to work; its examples are some that stay behind."""
    counts = {number: count for number, count in moved if number is not None}
    database.executemany("UPDATE failures SET items = items - ? WHERE id = ?", [(n, g) for g, n in counts.items()])
    samples = {number: _left(database, job, number) for number in counts}
    _find_others(database, job, {number: found for number, found in samples.items() if found == []})
    rows = [(json.dumps(found or []), number) for number, found in samples.items()]
    database.executemany("UPDATE failures SET samples = ? WHERE id = ?", rows)


def _left(database: Database, job: int, group: int) -> list[int] | None:
    """Those of its examples that stay behind; None if nothing does."""
    items, samples = database.one("SELECT items, samples FROM failures WHERE id = ?", (group,))
    return failed_samples(database, job, group, samples_of(samples)) if items else None


def _find_others(database: Database, job: int, samples: Mapping[int, list[int]]) -> None:
    """Find examples for groups that have lost all of theirs, in one pass that ends when each has one."""
    missing = set(samples)
    rows = database.execute(
        "SELECT item, failure FROM items INDEXED BY items_failed WHERE job = ? AND state = 4 ORDER BY item", (job,)
    )
    while missing and (row := rows.fetchone()) is not None:
        item, failure = row
        if failure in samples and len(samples[failure]) < SAMPLE_LIMIT:
            samples[failure].append(item)
            missing.discard(failure)
