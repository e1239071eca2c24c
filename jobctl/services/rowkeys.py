"""Rows with a name of their own (``--item-key``): unique in the file, and left out when they are already done.

A row is done when its key, its content and its command succeeded in an earlier job of the same name; the last time
counts, so a row that was changed and changed back, or that failed in between, runs again. What is done is kept
beside the jobs and outlives their pruning by ``store.done.KEPT_DAYS``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from jobctl.domain.payload import RowRules, key_reader
from jobctl.domain.wording import plural
from jobctl.errors import InputRejected
from jobctl.services.request import SubmitRequest
from jobctl.sources.options import InputOptions
from jobctl.sources.places import places_of
from jobctl.sources.problems import PROBLEMS_SHOWN
from jobctl.sources.source import Source
from jobctl.store import done
from jobctl.store.database import Database
from jobctl.store.done import RowHash


class RowKeys:
    """The keys of one input while it is accepted."""

    def __init__(self, database: Database, read_key: Callable[[bytes], bytes], row_hash: RowHash, column: str) -> None:
        self._database = database
        self._read_key = read_key
        self._hash = row_hash
        self._column = column
        self._seen = 0
        self._twice: list[tuple[int, int, bytes]] = []  # (first row, a later one, key)
        self._twice_total = 0
        # A scratch database on disk: memory stays flat however many rows there are.
        database.execute("ATTACH DATABASE '' AS scratch")
        database.execute("CREATE TABLE scratch.keys (key BLOB PRIMARY KEY, record INTEGER) WITHOUT ROWID")

    def take(self, batch: Sequence[bytes], *, only_new: bool, now: int | None) -> list[bytes]:
        """Note the keys of the next rows; returns the rows that are to run.

        Of those that are done it is written down that they were met ``now``, unless that is None.
        """
        keys = [self._read_key(payload) for payload in batch]
        hashes = [self._hash.of_key(key) for key in keys]
        numbers = range(self._seen + 1, self._seen + len(batch) + 1)
        added = self._database.executemany(
            "INSERT OR IGNORE INTO scratch.keys VALUES (?, ?)", zip(hashes, numbers, strict=True)
        ).rowcount
        if added != len(batch):
            self._find_twice(keys, hashes, numbers)
        self._seen += len(batch)
        if not only_new:
            return list(batch)
        finished = done.finished(self._database, hashes, [self._hash.of_content(p) for p in batch], now)
        return [payload for payload, is_done in zip(batch, finished, strict=True) if not is_done]

    def _find_twice(self, keys: Sequence[bytes], hashes: Sequence[bytes], numbers: range) -> None:
        for key, hashed, number in zip(keys, hashes, numbers, strict=True):
            first = self._database.scalar("SELECT record FROM scratch.keys WHERE key = ?", (hashed,))
            if first != number:
                self._twice_total += 1
                if len(self._twice) < PROBLEMS_SHOWN:
                    self._twice.append((first, number, key))

    def check(self, options: InputOptions, rules: RowRules) -> None:
        """Raises InputRejected naming both places of every key that stands twice (the first 20 of them)."""
        if not self._twice_total:
            return
        places = places_of(options, rules, self._read_key, {key for _, _, key in self._twice})
        later: dict[bytes, int] = {}
        details = []
        for first, second, key in self._twice:
            there = places.get(key, ())
            later[key] = place = later.get(key, 0) + 1
            both = (there[0], there[place]) if place < len(there) else (f"row {first}", f"row {second}")
            details.append(f"key {key.decode('utf-8', 'replace')!r}: {' and '.join(both)}")
        if self._twice_total > len(details):
            details.append(f"... and {self._twice_total - len(details):,} more")
        have = "has" if self._twice_total == 1 else "have"
        raise InputRejected(
            f"{options.name}: {plural(self._twice_total, 'row')} {have} the key of an earlier row,"
            " nothing was accepted",
            hint=f"column {self._column!r} must name every row; choose another --item-key or correct the file",
            details=details,
        )

    def close(self) -> None:
        """Drop the scratch database."""
        self._database.execute("DETACH DATABASE scratch")


def row_keys(database: Database, source: Source, kind: str, request: SubmitRequest) -> RowKeys | None:
    """What watches over the keys of an input that a handler of this kind works off; None if its rows have none."""
    column = request.item_key
    if column is None:
        return None
    command = json.dumps([kind, request.work_command])
    read_key = key_reader(source.format, source.columns or (), column)
    return RowKeys(database, read_key, RowHash(request.name or "", command), column)
