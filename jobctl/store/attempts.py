"""Writes attempts, the single runs of items, when they start and when they end, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from jobctl.domain.ports import AttemptId, Finished, Started
from jobctl.store.database import Database

#: (failure group, message) of failed attempts.
Causes = dict[AttemptId, tuple[int | None, str]]


class RecordedStart(NamedTuple):
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


#: The columns that an attempt which ended brings along, by the names of its fields.
_REPORTED = (
    *("job", "item", "attempt", "slot", "started_at", "ending", "code", "duration_us", "cpu_us", "max_rss_kib"),
    *("log", "out_off", "out_len", "err_off", "err_len", "flags", "value"),
)
#: The values of these columns: one call in C, because this is made for millions of attempts.
_reported = itemgetter(*map(Finished._fields.index, _REPORTED))
_FINISHED_COLUMNS = (*_REPORTED, "round", "host", "failure", "message")
_RECORD_FINISHED = (
    f"INSERT OR REPLACE INTO attempts ({', '.join(_FINISHED_COLUMNS)})"  # noqa: S608 - names of this module
    f" VALUES ({', '.join('?' * len(_FINISHED_COLUMNS))})"
)


def record_finished(database: Database, rnd: int, finished: Sequence[Finished], causes: Causes) -> None:
    """Write the complete record of attempts that ended; ``causes`` has (failure group, message) of the failed ones."""
    none = (None, None)
    database.executemany(
        _RECORD_FINISHED,
        [
            _reported(f)
            + (rnd, f[20] or None)  # the host; its name instead of its number would cost more
            + (causes.get(f[:3], none) if causes else none)  # type: ignore[call-overload]
            for f in finished
        ],
    )


def recorded_start(database: Database, attempt: AttemptId) -> RecordedStart | None:
    """The start of an attempt; None if none was recorded."""
    row = database.one(
        "SELECT slot, started_at, log, out_off, err_off FROM attempts WHERE job = ? AND item = ? AND attempt = ?",
        attempt,
    )
    return None if row is None else RecordedStart._make(row)


def is_recorded(database: Database, attempt: AttemptId) -> bool:
    """True if an attempt was seen to start."""
    return database.one("SELECT 1 FROM attempts WHERE job = ? AND item = ? AND attempt = ?", attempt) is not None
