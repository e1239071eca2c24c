"""Rows with a name of their own (``--item-key``): unique in the file, and left out when they are already done.

A row is done when its key, its content and its command succeeded in an earlier job of the same name. Only the last
run counts, so a row that was changed and changed back, or that failed in between, runs again. The list of done rows is
kept apart from the jobs and outlives their pruning by ``store.done.KEPT_DAYS``.

A row whose key another live job of the name has is taken: it is stored apart (``store.followed``) and waits until all
those jobs have ended. Then it is done, or it becomes an item.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jobctl.domain import content
from jobctl.domain.payload import RowRules, key_reader
from jobctl.domain.wording import plural
from jobctl.services.submit.key_rules import DOUBLED_KEY
from jobctl.services.submit.new_job import Submission
from jobctl.sources.options import InputOptions
from jobctl.sources.places import places_of
from jobctl.sources.problems import PROBLEMS_SHOWN, Problem, Problems, RowsRejected
from jobctl.store import done
from jobctl.store.database import Database
from jobctl.store.done import RowHash, RowHasher
from jobctl.store.scratch import SeenKeys
from jobctl.store.taken import Taken


class SortedRows(NamedTuple):
    """The rows of a batch by what happens to them."""

    items: list[bytes]
    followed: list[tuple[int, bytes]]  # each with the first job that has it
    skipped: int


class RowKeys:
    """The keys of one input during a submission."""

    def __init__(
        self, database: Database, hasher: RowHasher, column: str, taken: Taken | None, *, finds_duplicates: bool
    ) -> None:
        """``taken`` has the rows of other live jobs; None where rows are not left out.

        ``finds_duplicates`` is False for rows that were left out already if an earlier one has their key.
        """
        self._database = database
        self._hasher = hasher
        self._column = column
        self._taken = taken
        #: Jobs that have rows of this input.
        self.others: set[int] = set()
        self._seen = 0
        self._duplicates: list[tuple[int, int, bytes]] = []  # (first row, a later one, key)
        self._duplicates_total = 0
        self._keys = SeenKeys() if finds_duplicates else None

    def scan_live_jobs(self) -> None:
        """Read the rows that other live jobs have, as far as they are not known yet."""
        if self._taken is not None:
            self._taken.scan()

    def newcomers(self) -> list[int]:
        """Return jobs of the name that were submitted or retried while the rows were written."""
        return [] if self._taken is None else self._taken.newcomers()

    def take(self, batch: Sequence[bytes], *, now: int | None) -> SortedRows:
        """Record the keys of the next rows; returns the rows to run and the rows that wait.

        For rows that are done, the store records that they were seen ``now`` (microseconds UTC), unless that is None.
        """
        keys = [self._hasher.read_key(payload) for payload in batch]
        hashes = [self._hasher.hashes.of_key(key) for key in keys]
        if self._keys is not None:
            self._note(self._keys, keys, hashes)
        if self._taken is None:
            return SortedRows(list(batch), [], 0)
        contents = [self._hasher.content_hash(payload) for payload in batch]
        finished = done.finished(self._database, hashes, contents, now)
        return self._sorted(batch, contents, finished, self._taken.look_up(hashes))

    def _note(self, noted: SeenKeys, keys: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        numbers = range(self._seen + 1, self._seen + len(keys) + 1)
        if noted.add(zip(hashes, numbers, strict=True)) != len(keys):
            self._find_duplicates(noted, keys, hashes, numbers)
        self._seen += len(keys)

    def _sorted(
        self,
        batch: Sequence[bytes],
        contents: Sequence[bytes],
        finished: Sequence[bool],
        taken: Sequence[Mapping[int, bytes | None]],
    ) -> SortedRows:
        """A row that another job has open waits, even if it is done: that job may be about to fail it."""
        items, waiting, skipped = [], [], 0
        for payload, content_hash, is_done, others in zip(batch, contents, finished, taken, strict=True):
            if content_hash in others.values() or (is_done and not others):
                skipped += 1
            elif others:
                self.others.update(others)
                waiting.append((min(others), payload))
            else:
                items.append(payload)
        return SortedRows(items, waiting, skipped)

    def _find_duplicates(self, noted: SeenKeys, keys: Sequence[bytes], hashes: Sequence[bytes], numbers: range) -> None:
        for key, hashed, number in zip(keys, hashes, numbers, strict=True):
            first = noted.first(hashed)
            if first != number:
                self._duplicates_total += 1
                if len(self._duplicates) < PROBLEMS_SHOWN:
                    self._duplicates.append((first, number, key))

    def check(self, options: InputOptions, rules: RowRules) -> None:
        """Raises RowsRejected with both places of the first 20 duplicate keys."""
        if not self._duplicates_total:
            return
        places = places_of(options, rules, self._hasher.read_key, {key for _, _, key in self._duplicates})
        later: dict[bytes, int] = {}
        problems = Problems()
        for first, second, key in self._duplicates:
            there = places.get(key, ())
            later[key] = place = later.get(key, 0) + 1
            both = (there[0], there[place]) if place < len(there) else (f"row {first}", f"row {second}")
            message = f"key {key.decode('utf-8', 'replace')!r}: {' and '.join(both)}"
            record = None if options.selection else second  # the numbers are those of the selected rows
            problems.add(Problem(None, record, self._column, DOUBLED_KEY, message))
        problems.total = self._duplicates_total
        details = [problem.message for problem in problems.first]
        if problems.total > len(details):
            details.append(f"... and {problems.total - len(details):,} more")
        have = "has" if self._duplicates_total == 1 else "have"
        raise RowsRejected(
            f"{options.name}: {plural(self._duplicates_total, 'row')} {have} the key of an earlier row,"
            " nothing was accepted",
            problems,
            hint=f"column {self._column!r} must name every row: choose another --item-key, correct the file,"
            " or keep the first row of each key with --invalid skip",
            details=details,
        )

    def close(self) -> None:
        """Delete the recorded keys."""
        if self._keys is not None:
            self._keys.close()
        if self._taken is not None:
            self._taken.close()


def row_keys(database: Database, submission: Submission, *, only_new: bool) -> RowKeys:
    """Return the keys of the rows of a submission with ``--item-key``."""
    _, request, _, source, handler, _ = submission
    columns, column = source.columns or (), request.item_key or ""
    hasher = RowHasher(
        key_reader(source.format, columns, column),
        content.reader(content.counted_columns(source.format, columns, request.new_by)),
        RowHash(request.name or "", json.dumps([handler.kind, request.work_command])),
    )
    taken = Taken(database, request.name or "") if only_new else None
    return RowKeys(database, hasher, column, taken, finds_duplicates=request.input.invalid != "skip")
