"""Rows with a name of their own (``--item-key``): unique in the file, and left out when they are already done.

A row is done when its key, its content and its command succeeded in an earlier job of the same name; the last time
counts, so a row that was changed and changed back, or that failed in between, runs again. What is done is kept
beside the jobs and outlives their pruning by ``store.done.KEPT_DAYS``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jobctl.errors import InputRejected
from jobctl.sources.options import InputOptions
from jobctl.sources.places import lines_of
from jobctl.sources.problems import PROBLEMS_SHOWN
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
        self._twice: list[tuple[int, int, str]] = []  # (first record, second record, key)
        self._twice_total = 0
        # A scratch database on disk: memory stays flat however many rows there are.
        database.execute("ATTACH DATABASE '' AS scratch")
        database.execute("CREATE TABLE scratch.keys (key BLOB PRIMARY KEY, record INTEGER) WITHOUT ROWID")

    def take(self, batch: Sequence[bytes], *, only_new: bool, now: int) -> list[bytes]:
        """Note the keys of the next rows; returns the rows that are to run."""
        keys = [self._key(payload, record) for record, payload in enumerate(batch, self._seen + 1)]
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

    def _key(self, payload: bytes, record: int) -> bytes:
        try:
            return self._read_key(payload)
        except KeyError:
            raise InputRejected(
                f"record {record} has no {self._column!r}, which is its key; nothing was accepted",
                hint="every row needs a key; choose another --item-key or correct the file",
            ) from None

    def _find_twice(self, keys: Sequence[bytes], hashes: Sequence[bytes], numbers: range) -> None:
        for key, hashed, number in zip(keys, hashes, numbers, strict=True):
            first = self._database.scalar("SELECT record FROM scratch.keys WHERE key = ?", (hashed,))
            if first != number:
                self._twice_total += 1
                if len(self._twice) < PROBLEMS_SHOWN:
                    self._twice.append((first, number, key.decode("utf-8", "replace")))

    def check(self, options: InputOptions) -> None:
        """Raises InputRejected naming both lines of every key that stands twice (the first 20 of them)."""
        if not self._twice_total:
            return
        lines = lines_of(options, {n for first, second, _ in self._twice for n in (first, second)})
        details = [
            f"key {key!r}: {_place(first, lines)} and {_place(second, lines)}" for first, second, key in self._twice
        ]
        if self._twice_total > len(details):
            details.append(f"... and {self._twice_total - len(details):,} more")
        raise InputRejected(
            f"{options.name}: {self._twice_total:,} rows have the key of an earlier row, nothing was accepted",
            hint=f"column {self._column!r} must name every row; choose another --item-key or correct the file",
            details=details,
        )

    def close(self) -> None:
        """Drop the scratch database."""
        self._database.execute("DETACH DATABASE scratch")


def _place(record: int, lines: dict[int, int]) -> str:
    return f"line {lines[record]}" if record in lines else f"record {record}"
