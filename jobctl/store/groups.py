"""Finds or makes a failure group for each message of a live job, and merges groups of one cause."""

from __future__ import annotations

import json

from jobctl.domain.likeness import Seen, free_places, masked
from jobctl.domain.shape import Shape, ValueKind, shape_of
from jobctl.store import failures
from jobctl.store.cells import checked_cells
from jobctl.store.database import Database
from jobctl.store.failures import FURTHER, failed_samples, samples_of
from jobctl.store.group import AlikeGroups, FailureGroup, Message


class FailureGroups:
    """The failure groups of one job, cached. The engine that owns this object is their only writer."""

    def __init__(self, database: Database, job: int) -> None:
        self._database = database
        self._job = job
        self._by_cause: dict[tuple[str, str, str], FailureGroup] = {}
        self._by_id: dict[int, FailureGroup] = {}
        self._alike: dict[tuple[str, str, str], AlikeGroups] = {}
        self._heads: dict[tuple[str, str, str], FailureGroup] = {}  # by the text before a colon
        self._merged: dict[int, int] = {}
        self._changed: set[int] = set()  # by merging
        rows = database.execute(
            "SELECT f.id, f.code, f.message, f.outcome, f.items, f.attempts, f.samples,"
            " j.round = 1 OR f.first_at > j.round_at FROM failures f JOIN jobs j ON j.id = f.job"
            " WHERE f.job = ? ORDER BY f.id",
            (job,),
        ).fetchall()
        for *row, stored, complete in rows:
            group = FailureGroup(*checked_cells(FailureGroup, row))
            group.tried, group.is_complete = samples_of(stored), bool(complete)
            group.failed = failed_samples(database, job, group.id, group.tried) if group.items else []
            self._enter(group)

    def _enter(self, group: FailureGroup) -> None:
        self._by_id[group.id] = group
        self._by_cause[group.code, group.message, group.outcome] = group
        shape = shape_of(group.message)
        if shape.values:
            self._alike.setdefault((group.code, shape.form, group.outcome), AlikeGroups()).add(shape, shape.held, group)
        self._note_heads(group)

    def _note_heads(self, group: FailureGroup) -> None:
        end = 0
        while end >= 0:
            end = group.message.find(": ", end + 1)
            head = group.message if end < 0 else group.message[:end]
            self._heads.setdefault((group.code, head, group.outcome), group)

    def find(self, message: Message, *, retryable: bool, now: int) -> FailureGroup:
        """The group of a message, made if it is new; in a job with too many groups, the group of its code."""
        found = self._by_cause.get((message.code, message.text, message.outcome))
        text = message.text
        if found is None and not message.is_fixed:
            shape = shape_of(message.text)
            found = self._headed(message, shape)
            if found is None:
                found, text = self._learned(message, shape)
        return found or self._make(message._replace(text=text), retryable=retryable, now=now)

    def _headed(self, message: Message, shape: Shape) -> FailureGroup | None:
        """The group whose message begins alike; the values in which the two differ are masked."""
        group = self._heads.get((message.code, message.head, message.outcome)) if message.head else None
        if group is None:
            return None
        if group.id not in self._by_id or not _begins(group.message, message.head):  # merged or renamed since
            del self._heads[message.code, message.head, message.outcome]
            return None
        self._blur(group, shape)
        return group

    def _blur(self, group: FailureGroup, shape: Shape) -> None:
        if group.shape is None:
            group.shape = shape_of(group.message)
        known = group.shape
        if known.form != shape.form:
            return
        pairs = zip(known.held, shape.values, strict=True)
        values = tuple(a if a == value.text else value.mask for a, value in pairs)
        if values != known.held:
            self._rename(group, known, values)

    def _learned(self, message: Message, shape: Shape) -> tuple[FailureGroup | None, str]:
        """A group of the same shape or None, and the message for a new group."""
        alike = self._alike.get((message.code, shape.form, message.outcome)) if shape.values else None
        if alike is None:
            return None, shape.spelled(shape.held)
        found = alike.find(shape)
        if found is not None:
            return found, message.text
        free = free_places(shape, self._seen(alike, shape, message), alike.free, crowded=self._is_full)
        if free != alike.free:
            self._free(alike, free)
            found = alike.find(shape)
        return found, shape.spelled(masked(shape, shape.held, alike.free))

    def _seen(self, alike: AlikeGroups, shape: Shape, message: Message) -> list[Seen]:
        """The values of the small groups, and of the new message."""
        seen = []
        for values, group in alike.groups.items():
            if group.is_small and group.samples:
                if group.row_places is None:
                    group.row_places = _places_in_row(shape_of(group.message), message.cells(min(group.samples)))
                seen.append(Seen(values, len(group.samples), group.row_places))
        return [*seen, Seen(shape.held, 1, _places_in_row(shape, message.cells(message.item)))]

    def _free(self, alike: AlikeGroups, free: frozenset[int]) -> None:
        """Merge the small groups that differ only in places that are free now; large ones keep their value."""
        alike.set_free(shape_of(next(iter(alike.groups.values())).message), free)
        for values, group in list(alike.groups.items()):
            shape = shape_of(group.message)
            wanted = masked(shape, values, free)
            if not group.is_small or wanted == values:
                continue
            other = alike.groups.get(wanted)
            if other is None:
                self._rename(group, shape, wanted)
            else:
                self._merge(group, other)
                del alike.groups[values]
        alike.set_free(shape, alike.free)

    def _rename(self, group: FailureGroup, shape: Shape, values: tuple[str, ...]) -> None:
        """Mask more of a group's message; if another group has that message already, merge the two."""
        message = shape.spelled(values)
        if (group.code, message, group.outcome) in self._by_cause:
            return
        self._database.execute("UPDATE failures SET message = ? WHERE id = ?", (message, group.id))
        del self._by_cause[group.code, group.message, group.outcome]
        alike = self._alike[group.code, shape.form, group.outcome]
        del alike.groups[shape.held]
        group.message, group.row_places, group.shape = message, None, None
        self._by_cause[group.code, message, group.outcome] = group
        alike.add(shape, values, group)
        self._note_heads(group)

    def _merge(self, group: FailureGroup, other: FailureGroup) -> None:
        """Count a small group in another one, and let its items and attempts name the other."""
        items = json.dumps(sorted({*group.tried, *group.failed}))
        for table in ("items", "attempts"):
            self._database.execute(
                f"UPDATE {table} SET failure = ? WHERE job = ? AND item IN (SELECT value FROM json_each(?))"  # noqa: S608
                " AND failure = ?",
                (other.id, self._job, items, group.id),
            )
        self._database.execute(
            "UPDATE failures SET first_at = min(failures.first_at, o.first_at)"
            " FROM (SELECT first_at FROM failures WHERE id = ?) AS o WHERE failures.id = ?",
            (group.id, other.id),
        )
        other.take_in(group)
        del self._by_cause[group.code, group.message, group.outcome], self._by_id[group.id]
        self._merged[group.id] = other.id
        self._changed.discard(group.id)
        self._changed.add(other.id)

    @property
    def _is_full(self) -> bool:
        return len(self._by_id) >= failures.GROUP_LIMIT

    def _make(self, message: Message, *, retryable: bool, now: int) -> FailureGroup:
        text = message.text
        if self._is_full and (message.code, text, message.outcome) not in self._by_cause:
            text = FURTHER if retryable else f"{FURTHER}, not retryable"
        cause = (message.code, text, message.outcome)
        if cause in self._by_cause:
            return self._by_cause[cause]
        cursor = self._database.execute(
            "INSERT INTO failures"
            " (job, code, message, outcome, retryable, items, attempts, first_at, last_at, samples)"
            " VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, '[]')",
            (self._job, *cause, int(retryable), now, now),
        )
        group = FailureGroup(int(cursor.lastrowid or 0), *cause)
        self._enter(group)
        return group

    @property
    def has_merged(self) -> bool:
        """True if groups were merged since the last save."""
        return bool(self._merged)

    def current(self, number: int) -> int:
        """The number of the group that now counts a group of the last save."""
        while number in self._merged:
            number = self._merged[number]
        return number

    def get(self, number: int | None) -> FailureGroup | None:
        """A group by its number."""
        return None if number is None else self._by_id.get(self.current(number))

    def save(self, changed: set[int], now: int) -> None:
        """Write the groups with these numbers and those that took in others, and remove those that were taken in.

        Groups are removed only here: SQLite gives the number of a removed row to the next one, and before a save an
        outcome that the caller holds may name it.
        """
        numbers = {self.current(number) for number in changed}
        rows = [
            (g.items, g.attempts, now, json.dumps(g.samples), g.id)
            for g in (self._by_id[number] for number in numbers | self._changed)
        ]
        self._database.executemany("DELETE FROM failures WHERE id = ?", [(number,) for number in self._merged])
        self._changed.clear()
        self._merged.clear()
        self._database.executemany(
            "UPDATE failures SET items = ?, attempts = ?, last_at = ?, samples = ? WHERE id = ?", rows
        )


def _begins(message: str, head: str) -> bool:
    return message == head or message.startswith(f"{head}: ")


def _places_in_row(shape: Shape, cells: frozenset[str]) -> frozenset[int]:
    """The places whose value is in the row."""
    return frozenset(
        n
        for n, value in enumerate(shape.values)
        if value.kind is not ValueKind.MASKED and not cells.isdisjoint(shape.spellings(n))
    )
