"""Failure groups: like causes counted as they settle, so that a summary costs the same for ten and ten million."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from jobctl.store.database import Database

#: Distinct causes kept per job; what comes after is counted as ungrouped.
GROUP_LIMIT = 1_000
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
    samples: list[int] = field(default_factory=list)

    def add_sample(self, item: int) -> None:
        """Remember an item as an example, the first few of a cause."""
        if len(self.samples) < SAMPLE_LIMIT and item not in self.samples:
            self.samples.append(item)


class Groups:
    """The failure groups of one job, cached; the only writer of them is the engine that holds this."""

    def __init__(self, database: Database, job: int) -> None:
        self._database = database
        self._job = job
        rows = database.execute(
            "SELECT id, code, message, outcome, items, attempts, samples FROM failures WHERE job = ?", (job,)
        )
        groups = [Group(i, c, m, o, n, a, json.loads(s)) for i, c, m, o, n, a, s in rows]
        self._by_cause = {(g.code, g.message, g.outcome): g for g in groups}
        self._by_id = {g.id: g for g in groups}

    def find(self, code: str, message: str, outcome: str, *, retryable: bool, now: int) -> Group | None:
        """The group of a cause, made if new; None when the job has too many different ones."""
        cause = (code, message, outcome)
        group = self._by_cause.get(cause)
        if group is None and len(self._by_cause) < GROUP_LIMIT:
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
