"""Writes attempts, the single runs of items, when they start and when they end, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jobctl.domain.ports import AttemptId, Finished, Started
from jobctl.store.database import Database

#: (failure group, message) of failed attempts.
Causes = dict[AttemptId, tuple[int | None, str]]


class Begun(NamedTuple):
    """The start of an attempt, as it was recorded."""

    slot: int
    started_at: int
    log: int
    out_off: int
    err_off: int


def record_started(database: Database, started: Iterable[tuple[int, Started]]) -> None:
    """Note attempts that run now, each with its job's round."""
    database.executemany(
        "INSERT INTO attempts (job, item, attempt, round, slot, started_at, log, out_off, err_off, pid, host)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET log = excluded.log WHERE ending IS NULL",  # after another engine came
        [
            (s.job, s.item, s.attempt, rnd, s.slot, s.started_at, s.log, s.out_off, s.err_off, s.pid, s.host or None)
            for rnd, s in started
        ],
    )


def record_finished(database: Database, rnd: int, finished: Sequence[Finished], causes: Causes) -> None:
    """Write the complete record of attempts that ended; ``causes`` has (failure group, message) of the failed ones."""
    none = (None, None)
    database.executemany(
        "INSERT OR REPLACE INTO attempts (job, item, attempt, round, slot, started_at, ending, code, duration_us,"
        " cpu_us, max_rss_kib, log, out_off, out_len, err_off, err_len, flags, value, host, failure, message)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                f[0],
                f[1],
                f[2],
                rnd,
                f[5],
                f[6],
                f[3],
                f[4],
                f[7],
                f[8],
                f[9],
                f[10],
                f[11],
                f[12],
                f[13],
                f[14],
                f[15],
                f[18],
                f[20] or None,
            )
            + (causes.get(f[:3], none) if causes else none)  # type: ignore[call-overload]
            for f in finished
        ],
    )


def begun(database: Database, attempt: AttemptId) -> Begun | None:
    """The start of an attempt; None if none was recorded."""
    row = database.one(
        "SELECT slot, started_at, log, out_off, err_off FROM attempts WHERE job = ? AND item = ? AND attempt = ?",
        attempt,
    )
    return None if row is None else Begun._make(row)


def is_recorded(database: Database, attempt: AttemptId) -> bool:
    """True if an attempt was seen to start."""
    return database.one("SELECT 1 FROM attempts WHERE job = ? AND item = ? AND attempt = ?", attempt) is not None
