"""Keeps the rows that are done, by job name and row key. ``--only-new`` looks them up."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import NamedTuple

from jobctl.domain.content import counted_columns
from jobctl.domain.content import reader as content_reader
from jobctl.domain.payload import key_reader
from jobctl.store.cells import checked_cells
from jobctl.store.database import Database
from jobctl.store.job_row import JobRow
from jobctl.store.sqlite import with_states

#: After this number of days, ``prune`` forgets a row that no further job of the name contained.
KEPT_DAYS = 400
_DAY_US = 86_400_000_000
#: If another job contains a row again, the time of the row is renewed if it is older than this.
_RENEW_US = 30 * _DAY_US
#: Rows looked up in one statement.
_AT_ONCE = 250


class RowHash:
    """Hashes of keys and contents within one name and command."""

    def __init__(self, name: str, command: str) -> None:
        self._key = hashlib.blake2b(name.encode() + b"\0", digest_size=16)
        self._content = hashlib.blake2b(command.encode("utf-8", "surrogateescape") + b"\0", digest_size=16)

    def of_key(self, key: bytes) -> bytes:
        """The hash by which a row is known, whatever its other cells hold."""
        hashed = self._key.copy()
        hashed.update(key)
        return hashed.digest()

    def of_content(self, payload: bytes) -> bytes:
        """The hash of the content of a row and of the command that it is for."""
        hashed = self._content.copy()
        hashed.update(payload)
        return hashed.digest()


class RowHasher(NamedTuple):
    """The way in which the rows of a stored job are hashed."""

    read_key: Callable[[bytes], bytes]
    read_content: Callable[[bytes], bytes]
    hashes: RowHash

    def row_hash(self, payload: bytes) -> bytes:
        """The hash by which a row is known, whatever its other cells hold."""
        return self.hashes.of_key(self.read_key(payload))

    def content_hash(self, payload: bytes) -> bytes:
        """The hash of the content of a row and of the command that it is for."""
        return self.hashes.of_content(self.read_content(payload))


def row_hasher(row: JobRow) -> RowHasher:
    """The hashes for a job whose rows have keys of their own."""
    assert row.item_key is not None
    return RowHasher(
        key_reader(row.input_format, row.columns, row.item_key),
        content_reader(counted_columns(row.input_format, row.columns, row.policy.new_by)),
        RowHash(row.name, json.dumps([row.handler, row.command])),
    )


def finished(
    database: Database, rows: Sequence[bytes], contents: Sequence[bytes], now: int | None, later_than: int = 0
) -> list[bool]:
    """Tell of each row if it is done with exactly this content; its time is renewed, unless ``now`` is None.

    Only rows that jobs with higher numbers than ``later_than`` have done count.
    """
    answers = [False] * len(rows)
    renew = []
    for first in range(0, len(rows), _AT_ONCE):
        part = rows[first : first + _AT_ONCE]
        for number, content, at, job in database.execute(_lookup(len(part)), part):
            place = first + number
            if content == contents[place] and job > later_than:
                answers[place] = True
                if now is not None and at < now - _RENEW_US:
                    renew.append((now, rows[place]))
    if renew:
        database.executemany("UPDATE done SET at = ? WHERE row = ?", renew)
    return answers


@cache
def _lookup(count: int) -> str:
    """The statement that looks up this number of rows. A statement for each row would cost more than the rest."""
    asked = ", ".join(f"({number}, ?)" for number in range(count))
    return (
        f"WITH asked (number, row) AS (VALUES {asked})"  # noqa: S608 - numbers and marks alone
        " SELECT number, content, at, job FROM asked CROSS JOIN done ON done.row = asked.row"
    )


class Ended(NamedTuple):
    """An item whose last attempt has ended."""

    item: int
    state: int
    payload: bytes


_ENDED = with_states(
    "SELECT i.item, i.state, i.payload FROM items i"
    " JOIN attempts a ON a.job = i.job AND a.item = i.item AND a.attempt = i.attempt"
    " WHERE i.job = ? AND i.item > ? AND i.state IN ({SUCCEEDED}, {FAILED}) AND a.round = ? ORDER BY i.item LIMIT ?"
)


def ended(database: Database, job: int, rnd: int, after: int, limit: int) -> list[Ended]:
    """The next items after number ``after`` that succeeded or failed with an attempt of this round."""
    rows = database.execute(_ENDED, (job, after, rnd, limit))
    return [Ended._make(checked_cells(Ended, row)) for row in rows]


def add(database: Database, rows: Iterable[tuple[bytes, bytes]], job: int, now: int) -> None:
    """Store (row, content) of rows that succeeded."""
    database.executemany(
        "INSERT OR REPLACE INTO done (row, content, job, at) VALUES (?, ?, ?, ?)",
        [(row, content, job, now) for row, content in rows],
    )


def remove(database: Database, rows: Iterable[bytes]) -> None:
    """Remove rows that failed or may have had a part of their effect: they run again whatever their content is."""
    database.executemany("DELETE FROM done WHERE row = ?", [(row,) for row in rows])


def forget(database: Database, now: int) -> int:
    """Drop rows that no job has contained for KEPT_DAYS. Returns the number of rows."""
    return database.execute("DELETE FROM done WHERE at < ?", (now - KEPT_DAYS * _DAY_US,)).rowcount
